"""Links, snippets, tables and commands of the documentation."""

import re
import shlex
from functools import reduce

import pytest
import typer
import yaml
from pages import DOCS, ROOT, blocks, tables
from pydantic import BaseModel

from tme_sim.cli.app import app
    "`heredity` key": heredity.HereditySpec,
    "`traits` key": heredity.TraitSpec,
    "`spread` key": heredity.Spread,
    "`clones` key": heredity.CloneSpec,
    "`switching` key": heredity.Switch,
