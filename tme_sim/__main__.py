"""Lets ``python -m tme_sim`` be the command ``tme-sim``."""

from tme_sim.cli.app import main

main()
