"""The verb `show`: what a file is, without a framework, and what its author says of it."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dcgan.cli import main
from dcgan.storage.model_file import write_model_file


def shown(capsys, *words):
    assert main(["show", *words]) == 0
    lines = capsys.readouterr().out.splitlines()
    return {line[:11].strip(): line[12:] for line in lines}


def test_the_card_that_save_was_given_is_shown_and_kept(tiny, capsys):
    from dcgan import DCGAN

    tiny().save("a.dcgan", card={"author": "Ada", "license": "CC0-1.0"})
    DCGAN.load("a.dcgan").save("b.dcgan", generator_only=True)
    facts = shown(capsys, "b.dcgan", "--preview", "p.png")
    assert (facts["author"], facts["license"], facts["note"]) == ("Ada", "CC0-1.0", "not said")
    assert facts["images"] == "16x12x3" and "generator alone" in facts["file"]
    with Image.open("p.png") as preview:
        assert preview.size[0] > 12


@pytest.mark.parametrize("card", [{"email": "x"}, {"note": "x" * 3000}, {"note": 7}])
def test_a_card_of_anything_else_is_refused(tiny, card):
    from dcgan import ModelFileError

    gan = tiny()
    for name in ("a.dcgan", "a.keras"):
        with pytest.raises(ModelFileError, match="card"):
            gan.save(name, card=card)
    gan.save("a.dcgan")  # the model has not kept it


@pytest.mark.once
def test_a_preview_that_a_file_does_not_have_is_named_in_one_line(tiny, images, capsys):
    tiny(save_path="run").fit(images, epochs=1, verbose=0)
    checkpoint = next(Path("run/checkpoints").glob("*.dcgan"))
    assert main(["show", str(checkpoint), "--preview", "p.png"]) == 2
    assert "has no preview" in capsys.readouterr().err
    assert not Path("p.png").exists()


@pytest.mark.once
@pytest.mark.parametrize("part", ["plan", "training"])
def test_a_file_that_describes_no_model_is_named_in_one_line(part, capsys):
    document = {"options": {}, "plan": {}, "optimizers": {}, "training": {}}
    document[part] = {"img_size": 7, "generator": 7, "step": "x", "data": 7}
    write_model_file("a.dcgan", document, {"generator/x": np.zeros(1, np.float32)})
    assert main(["show", "a.dcgan"]) == 2
    shown = capsys.readouterr()
    assert "'a.dcgan' describes no model" in shown.err and shown.err.count("\n") == 1


@pytest.mark.once
def test_no_framework_is_loaded(tiny):
    tiny().save("a.dcgan")
    code = (
        "import sys; from dcgan.cli import main; main(['show', 'a.dcgan']); "
        "assert 'keras' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
