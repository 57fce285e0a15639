"""The verb `train`: what it trains on, with which options, and what it prints."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dcgan.cli import main
from dcgan.storage.model_file import read_model_file


def training(path="Results/sea/last.dcgan"):
    """What a model file says of its training."""
    return read_model_file(path).document["training"]


def digits(count):
    """Random images of MNIST's size."""
    return np.random.default_rng(0).integers(0, 256, (count, 28, 28, 1)).astype(np.uint8)


def test_a_folder_is_trained_on_without_a_verb(folder, small, capsys):
    assert main([str(folder), *small, "--epochs", "1", "--kernel-size", "3", "3"]) == 0
    assert "Results/sea/samples.png" in capsys.readouterr().out
    from dcgan import DCGAN

    gan = DCGAN.load("Results/sea/last.dcgan")
    assert gan.kernel_size == (3, 3) and gan.img_size == (16, 12, 3)


@pytest.mark.once
def test_a_folder_called_as_the_verb_is_not_passed_over(tmp_path, capsys):
    (tmp_path / "train").mkdir()
    assert main(["train", "--epochs", "1"]) == 2
    assert "write ./train" in capsys.readouterr().err


@pytest.mark.once
def test_another_folder_of_the_same_name_has_a_run_of_its_own_and_hears_of_it_once(
    folder, small, tmp_path, capsys
):
    other = tmp_path / "other" / "sea"
    shutil.copytree(folder, other)
    for images in (folder, other, other):
        assert main([str(images), *small, "--epochs", "1"]) == 0
    told = f"Results/sea is the run of {folder}; this one is in Results/sea-2."
    assert capsys.readouterr().err.count(told) == 1
    assert training("Results/sea-2/last.dcgan")["step"] == training()["step"]


@pytest.mark.once
def test_a_run_folder_is_given_alone_and_its_images_are_where_they_were(folder, small, capsys):
    assert main([str(folder), *small, "--epochs", "1"]) == 0
    assert main(["Results/sea", "--save-path", "Results/other"]) == 2
    assert "Leave --save-path Results/other out" in capsys.readouterr().err
    assert main([str(folder), "--from", "Results/sea", "--epochs", "1"]) == 0
    assert "--from is not used: the run in Results/sea has begun" in capsys.readouterr().err
    assert main([str(folder), *small, "--no-growing", "--epochs", "1"]) == 0  # too small to grow
    moved = folder.rename(folder.with_name("moved"))
    assert main(["Results/sea", "--epochs", "2"]) == 2
    assert "path/to/images --save-path Results/sea" in capsys.readouterr().err
    assert main([str(moved), "--save-path", str(moved), *small]) == 2
    assert "another folder than that of the images" in capsys.readouterr().err


@pytest.mark.once
def test_stderr_holds_what_the_machine_has_and_nothing_of_the_framework(folder, small):
    start = "import sys; from dcgan.cli import main; sys.exit(main())"
    words = [sys.executable, "-c", start, str(folder), *small[:-1], "--epochs", "1"]
    environment = {name: v for name, v in os.environ.items() if not name.startswith("TF_")}
    environment["PYTHONPATH"] = str(Path(__file__).parents[2])
    ended = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
    machine, images, *progress = ended.stderr.splitlines()
    assert re.fullmatch(r"This machine: \d+ cores?, (b?float\d+), (no GPU|\d+ GPUs?)\.", machine)
    assert images.startswith("10 images as 16 x 12 x 3.")
    assert progress[-1].startswith("100%  step 3, epoch 1, learning")
    assert all(re.match(r" *\d+%  step ", line) for line in progress)
    assert ended.stdout.count("\n") == 1
    with Image.open("Results/sea/losses.png") as plot:
        plot.load()


def test_the_same_command_resumes(folder, small):
    assert main([str(folder), *small, "--epochs", "1"]) == 0
    first = training()["step"]
    assert main([str(folder), *small, "--epochs", "2"]) == 0
    assert training()["step"] == 2 * first


def test_a_run_resumes_with_its_own_options_and_those_that_are_given(folder, small, capsys):
    from dcgan import DCGAN

    assert main([str(folder), *small, "--epochs", "1", "--horizontal-flip"]) == 0
    assert main([str(folder), "--quiet", "--epochs", "2", "--optimizer", "0.001"]) == 0
    gan = DCGAN.load("Results/sea/last.dcgan")
    assert gan.state.step == 6 and gan.img_size == (16, 12, 3) and gan.horizontal_flip
    assert gan.optimizer.rates[0] == pytest.approx(0.001)
    assert main([str(folder), "--quiet", "--epochs", "3", "--depth", "1"]) == 2
    assert "--new" in capsys.readouterr().err


def test_the_folder_of_a_run_resumes_it(folder, small):
    assert main([str(folder), *small, "--epochs", "1"]) == 0
    assert main(["Results/sea", "--quiet", "--epochs", "2"]) == 0
    assert training()["step"] == 6
    assert [path.name for path in Path("Results").iterdir()] == ["sea"]


@pytest.mark.once
@pytest.mark.parametrize(
    "size", [["--image-size", "16"], ["--img-size", "16", "16"], ["--img-size", "16", "16", "3"]]
)
def test_what_users_of_other_programs_type_is_taken(folder, small, size):
    words = ["--data", str(folder), *size, "--lr", "1e-3", "--epochs", "1"]
    assert main([*words, *small[4:]]) == 0
    document = read_model_file("Results/sea/last.dcgan").document
    assert document["plan"]["img_size"] == [16, 16, 3]
    assert document["optimizers"]["generator"]["config"]["learning_rate"] == np.float32(1e-3)


@pytest.mark.once
def test_new_starts_a_numbered_run(folder, small, tmp_path):
    assert main([str(folder), *small, "--epochs", "1"]) == 0
    assert main([str(folder), *small, "--epochs", "1", "--new"]) == 0
    assert (tmp_path / "Results" / "sea-2" / "last.dcgan").is_file()


@pytest.mark.once
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["no such folder"], ["no such folder"]),
        (["sea", "--depth", "9"], ["depth", "--depth"]),
        (["sea", "--epochs", "0"], ["epochs", "--epochs"]),
        (["sea", "--optimizer", "adamant"], ["adamant"]),
    ],
)
def test_wrong_input_gives_one_line_and_exit_code_2(folder, small, capsys, words, expected):
    assert main([*small, *words]) == 2
    shown = capsys.readouterr()
    assert shown.out == "" and shown.err.count("\n") == 1
    assert all(word in shown.err for word in expected)


@pytest.mark.once
def test_another_network_in_the_folder_of_a_run_is_refused_with_the_flag(folder, small, capsys):
    assert main([str(folder), *small, "--epochs", "1"]) == 0
    capsys.readouterr()
    assert main([str(folder), *small, "--increment", "8", "--epochs", "2"]) == 2
    assert "--new" in capsys.readouterr().err


@pytest.mark.once
def test_a_preset_trains_resumes_and_is_loaded(tmp_path, capsys):
    from dcgan import DCGAN
    from dcgan.networks.presets import find_preset

    np.savez(tmp_path / "mnist.npz", x_train=digits(8)[..., 0], y_train=np.zeros(8))
    command = ["--preset", "mnist-upsample", "mnist.npz", "--batch-size", "4", "--quiet"]
    assert main([*command, "--epochs", "1"]) == 0
    assert main(["mnist.npz", "--epochs", "2", "--quiet"]) == 0
    gan = DCGAN.load("Results/mnist/last.dcgan")
    assert gan.state.step == 4
    assert gan.plan == find_preset("mnist-upsample").plan
    assert "samples.png" in capsys.readouterr().out


@pytest.mark.once
def test_mnist_without_a_network_says_what_to_do(monkeypatch, capsys):
    from keras.datasets import mnist

    def no_network():
        raise Exception("URL fetch failure on https://example.org: None -- no route")

    monkeypatch.setattr(mnist, "load_data", no_network)
    assert main(["--dataset", "mnist", "--preset", "mnist-upsample"], prog="dcgan") == 2
    error = capsys.readouterr().err
    assert "no route" in error
    assert (
        "dcgan mnist.npz --img-size 28 28 1 --depth 3 --batch-size 64 --optimizer 0.0008" in error
    )


@pytest.mark.once
def test_sigterm_while_decoding_is_one_line_and_exit_code_143(tmp_path):
    (tmp_path / "many").mkdir()
    Image.new("RGB", (900, 900)).save(tmp_path / "many" / "0.png")
    for index in range(1, 200):
        shutil.copy(tmp_path / "many" / "0.png", tmp_path / "many" / f"{index}.png")
    root = Path(__file__).parents[2]
    words = [sys.executable, str(root / "main.py"), "many", "--img-size", "64", "64", "3"]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    cache = Path(os.environ["DCGAN_CACHE"])
    while process.poll() is None and not list(cache.glob("images/*.partial/pixels.raw")):
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    shown = process.communicate()[1]
    assert process.returncode == 143
    assert shown.rstrip("\n").split("\n")[-1].startswith("dcgan: train was stopped by SIGTERM")
    assert "Traceback" not in shown and not (tmp_path / "Results").exists()


def test_training_starts_from_a_model_of_the_same_networks_unless_others_are_asked_for(
    folder, small, capsys, tmp_path
):
    assert main([str(folder), *small, "--epochs", "1"]) == 0
    shutil.copytree(folder, tmp_path / "cats")
    assert main([str(tmp_path / "cats"), "--from", "sea", "--quiet", "--epochs", "1"]) == 0
    assert "Starting from Results/sea/last.dcgan: 15 of 15 layers." in capsys.readouterr().err
    paths = (f"Results/{name}/last.dcgan" for name in ("cats", "sea"))
    cats, sea = (read_model_file(path).document for path in paths)
    assert cats["plan"] == sea["plan"]
    assert cats["training"]["run_id"] != sea["training"]["run_id"]
    assert main([str(tmp_path / "cats"), "--from", "sea", "--quiet", "--epochs", "2"]) == 0
    assert "Resuming in Results/cats" in capsys.readouterr().err


@pytest.mark.once
def test_the_folder_of_a_run_of_the_sample_set_resumes_it(small, monkeypatch, capsys):
    monkeypatch.setattr("dcgan.training.source.SAMPLE_SET_COUNT", 8)
    assert main([*small, "--epochs", "1"]) == 0
    assert main(["Results/seascapes", "--quiet", "--epochs", "2"]) == 0
    assert "Resuming in Results/seascapes" in capsys.readouterr().err
