"""Entry of ./deedbox."""

import sys

from deedbox_checkout.command import main

sys.exit(main())
