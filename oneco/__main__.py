"""`python -m oneco` is the command `oneco`."""

import sys

from oneco.cli import main

sys.exit(main())
