"""``python -m bench.inputs SCALE FOLDER``: makes the inputs in a process of its own."""

import sys
from pathlib import Path

from bench.inputs.catalogue import make_inputs

make_inputs(sys.argv[1], Path(sys.argv[2]))
