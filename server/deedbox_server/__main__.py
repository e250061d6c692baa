"""`python -m deedbox_server` is `deedbox-server`."""

import sys

from deedbox_server.cli import main

sys.exit(main())
