"""Where the built program begins."""

import sys

from deedbox_verify.command import main

sys.exit(main())
