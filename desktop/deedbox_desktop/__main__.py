"""`python -m deedbox_desktop` is `deedbox-desktop`."""

import sys

from deedbox_desktop.cli import main

sys.exit(main())
