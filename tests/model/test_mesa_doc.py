import re
from pathlib import Path

from mesa_models import TinyTissue

PAGE = Path(__file__).parents[2] / "docs" / "mesa.md"


def test_examples_of_the_page_run(capsys):
    first, *blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), flags=re.S)
    assert "TumorMicroenvironment(" in first  # replaced by the tiny model
    namespace = {"model": TinyTissue(), "__name__": "page"}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), namespace)
    assert "tumour" in capsys.readouterr().out
