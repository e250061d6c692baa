"""`python -m deedbox_verify`."""

import sys

from deedbox_verify.command import main

sys.exit(main())
