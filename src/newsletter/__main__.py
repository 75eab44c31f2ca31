"""`python -m newsletter` is the same as `newsletter`."""

import sys

from newsletter.cli import main

sys.exit(main())
