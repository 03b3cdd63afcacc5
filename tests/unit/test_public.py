"""The public names, and that they cost nothing until they are used."""

import subprocess
import sys
from types import ModuleType

import viral


def test_every_public_name_can_be_had() -> None:
    for name in viral.__all__:
        found = getattr(viral, name)
        assert not isinstance(found, ModuleType), f"{name} is hidden by a module of that name"
        assert found is viral.MODELS or found.__name__ == name


def test_importing_viral_imports_nothing_heavy() -> None:
    code = "import sys, viral; print(sorted(m for m in sys.modules if m.split('.')[0] in {'torch', 'polars', 'PIL'}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_unknown_name_is_an_attribute_error() -> None:
    try:
        viral.Catalogue  # noqa: B018
    except AttributeError as error:
        assert "Catalogue" in str(error)
    else:
        raise AssertionError("an unknown name was found")
