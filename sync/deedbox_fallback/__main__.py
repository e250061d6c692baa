"""`python -m deedbox_fallback`."""

import sys

from deedbox_fallback.cli import main

sys.exit(main())
