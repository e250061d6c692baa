"""`python -m deedbox_relay`."""

import sys

from deedbox_relay.cli import main

sys.exit(main())
