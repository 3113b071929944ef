"""Hostile files: each is refused, or read for what it holds, with a sentence and within bounded time and memory.

The bombs run in a process of their own, which reports how long it took and how much its memory grew.
"""

import io
import json
import os
import pickle
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save
from torch import Tensor

from segdemo.models import create_model
from segdemo.weights import CheckpointError, import_checkpoint
from segdemo.weights.tensorfiles import read_tensors

ROOT = Path(__file__).parents[2]
MAX_SECONDS = 10.0
MAX_GROWTH_MB = 300.0

# Processor time, because the machine may be busy. The peak of memory is reset before each file;
# `resource.ru_maxrss` would begin with that of the process that started this one.
MEASURE = """
import json, sys, time
from pathlib import Path
import torch
from segdemo.weights import CheckpointError, import_checkpoint

def peak():
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024

for path in sys.argv[1:]:
    Path("/proc/self/clear_refs").write_text("5")
    before, start, said = peak(), time.process_time(), ""
    try:
        import_checkpoint(path)
    except CheckpointError as error:
        said = str(error)
    print(json.dumps({"said": said, "seconds": time.process_time() - start, "grown": peak() - before}))
"""


def measured(paths: list[Path]) -> list[dict[str, float | str]]:
    """What a fresh process says about files, how long each takes (seconds), and how its memory grows (MB)."""
    command = [sys.executable, "-c", MEASURE, *map(str, paths)]
    env = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False, env=env)
    assert answer.returncode == 0, answer.stderr
    return [json.loads(line) for line in answer.stdout.splitlines()]


def tiny_state() -> dict[str, Tensor]:
    return dict(create_model("unet", width=2, depth=1).state_dict())


def zipped(members: dict[str, bytes], packing: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", packing) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def refused(content: bytes, sentence: str) -> None:
    with pytest.raises(CheckpointError, match=sentence):
        import_checkpoint(content)


class Calls:
    """Unpickled without care, it calls a function."""

    def __init__(self, function: Callable[..., object], *arguments: object) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.call


@pytest.mark.parametrize("function", [os.system, exec, subprocess.call, __import__, getattr])
@pytest.mark.parametrize("current", [True, False], ids=["zip", "older format"])
def test_code_is_never_run_and_the_visitor_is_warned(tmp_path: Path, function: Callable[..., object], current: bool) -> None:
    marker = tmp_path / "was-run"
    content = tiny_state() | {"x": Calls(function, f"touch {marker}")}
    torch.save(content, tmp_path / "w.pth", _use_new_zipfile_serialization=current)
    refused((tmp_path / "w.pth").read_bytes(), "would run commands.*Nothing in it was run")
    assert not marker.exists()


def test_objects_that_do_no_harm_are_left_out(tmp_path: Path) -> None:
    import argparse

    state = tiny_state()
    torch.save({"state_dict": state, "args": argparse.Namespace(lr=1e-3), "path": Path("x")}, tmp_path / "w.pth")
    imported = import_checkpoint(tmp_path / "w.pth")
    assert imported.model == "unet" and set(imported.state) == set(state)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "empty"),
        (b"\n", "damaged or no such file"),
        (b"These are no weights.\n" * 100, "damaged or no such file"),
        (bytes(1000), "damaged or no such file"),
        (b"\x89HDF\r\n\x1a\n" + bytes(100), "Keras"),
        (pickle.dumps({"a": 1}), "damaged|no checkpoint"),
        (pickle.dumps(Calls(os.system, "true")), "damaged|no checkpoint"),
        (zipped({"a.txt": b"text"}), "no checkpoint of PyTorch"),
        (zipped({"best/model.pth": b"PK"}), "unpack it, and choose the file best/model.pth"),
        (zipped({"m/data.pkl": b"", "m/constants.pkl": b""}), "TorchScript"),
        (zipped({"m/data.pkl": pickle.dumps({"a": 1}, 2)}, zipfile.ZIP_DEFLATED), "packed"),
        (zipped({"m/data.pkl": b"", "m/byteorder": b"big"}), "orders bytes differently"),
        (struct.pack("<Q", 2**60) + b"{", "more than 10000 tensors"),
    ],
)  # fmt: skip
def test_other_files_are_refused_with_a_sentence(content: bytes, sentence: str) -> None:
    refused(content, sentence)


def test_a_zip_in_a_zip_in_a_zip() -> None:
    content = zipped({"0.txt": b"x"})
    for level in range(50):
        content = zipped({f"{level}.pth": content})
    refused(content, "unpack it")


@pytest.mark.parametrize("keep", [4, 30, 0.3, 0.9, 0.999])
@pytest.mark.parametrize("kind", ["zip", "older", "safetensors"])
def test_truncated(tmp_path: Path, kind: str, keep: float) -> None:
    state = create_model("unet", width=8, depth=2).state_dict()
    if kind == "safetensors":
        content = save(state)
    else:
        torch.save(state, tmp_path / "w.pth", _use_new_zipfile_serialization=kind == "zip")
        content = (tmp_path / "w.pth").read_bytes()
    refused(content[: int(keep if keep >= 1 else keep * len(content))], "The file")


def test_a_safetensors_file_whose_length_looks_like_a_pickle() -> None:
    state = tiny_state()
    plain = save(state)
    header = plain[8 : 8 + int.from_bytes(plain[:8], "little")]
    longer = header + b" " * ((0x80 - len(header)) % 0x100)
    content = struct.pack("<Q", len(longer)) + longer + plain[8 + len(header) :]
    assert content.startswith(b"\x80") and import_checkpoint(content).model == "unet"


@pytest.mark.parametrize("dtype", [torch.int8, torch.uint8, torch.int64, torch.complex64, torch.bool])
def test_weights_of_whole_or_complex_numbers(tmp_path: Path, dtype: torch.dtype) -> None:
    state = {key: value.to(dtype) for key, value in tiny_state().items()}
    torch.save(state, tmp_path / "w.pth")
    with pytest.raises(CheckpointError, match=str(dtype).removeprefix("torch.")):
        import_checkpoint(tmp_path / "w.pth")


def _described(tensors: dict[str, tuple[tuple[int, ...], tuple[int, ...], int]], location: str = "cpu") -> bytes:
    """An archive whose tensors (shape, strides, claimed numbers in storage) all lie in 16 bytes."""

    class Storage:
        def __init__(self, key: str, count: int) -> None:
            self.reference = ("storage", torch.FloatStorage, key, location, count)

    class Pickler(pickle.Pickler):
        def persistent_id(self, obj: object) -> object:
            return obj.reference if isinstance(obj, Storage) else None

    rebuild = torch._utils._rebuild_tensor_v2
    content = {
        name: Calls(rebuild, Storage(str(i), count), 0, shape, stride, False, {})
        for i, (name, (shape, stride, count)) in enumerate(tensors.items())
    }
    buffer = io.BytesIO()
    Pickler(buffer, protocol=2).dump(content)
    data = {f"m/data/{i}": bytes(16) for i in range(len(tensors))}
    return zipped({"m/data.pkl": buffer.getvalue(), **data})


@pytest.mark.parametrize(
    ("shape", "stride", "count"),
    [
        ((10**9, 10**9), (10**9, 1), 10**18),  # as large as it says
        ((10**9, 10**9, 1, 1), (0, 0, 0, 0), 4),  # one number, again and again
        ((2, 2, 3, 3), (18, 9, 3, 1), 4),  # beyond its storage
        ((2, 2, 3, 3), (18, 9, 3, 1), 36),  # storage beyond the file
        ((2**62, 2**62, 3, 3), (0, 0, 3, 1), 9),
    ],
)
def test_shapes_that_the_file_does_not_hold(shape: tuple[int, ...], stride: tuple[int, ...], count: int) -> None:
    refused(_described({"encoder.0.0.weight": (shape, stride, count)}), "damaged|larger than the file")


@pytest.mark.parametrize("model", ["unet", "fcn32s", "nnunet"])
def test_counts_are_checked_before_an_architecture_is_tried(model: str) -> None:
    content = io.BytesIO()
    torch.save({"a": torch.ones(2, 3, 3, 3), "b": torch.ones(100_000)}, content)
    with pytest.raises(CheckpointError, match="100000 classes"):
        import_checkpoint(content.getvalue(), model=model)


def test_negative_and_absurd_numbers_in_a_shape() -> None:
    refused(_described({"w": ((-4,), (1,), 4)}), "damaged")
    refused(_described({"w": ((4, 1), (1,), 4)}), "damaged")


def test_a_tag_of_a_graphics_processor_does_not_matter(tmp_path: Path) -> None:
    content = _described({"w": ((4,), (1,), 4)}, "cuda:7")
    refused(content, "no convolution")  # read, though there is no such device here


def _doubled(levels: int) -> bytes:
    """Opcodes that leave a tuple on the stack which holds the one before it twice, and so on: 2^levels in all."""
    opcodes = pickle.EMPTY_TUPLE + pickle.BINPUT + b"\x00"
    return opcodes + (pickle.BINGET + b"\x00" + pickle.TUPLE2 + pickle.BINPUT + b"\x00") * levels


@pytest.mark.parametrize(
    ("opcodes", "sentence"),
    [
        (pickle.EMPTY_DICT + _doubled(60) + pickle.NONE + pickle.SETITEM, "something other"),  # as a key, to be hashed
        (_doubled(60) + _doubled(60) + pickle.STACK_GLOBAL, "damaged"),  # as a name, to be written out
        (_doubled(60), "something other"),
    ],
    ids=["key", "name", "content"],
)
def test_nesting_that_takes_for_ever_to_walk_through(opcodes: bytes, sentence: str) -> None:
    refused(zipped({"m/data.pkl": pickle.PROTO + b"\x02" + opcodes + pickle.STOP}), sentence)


@pytest.mark.parametrize(
    "opcodes",
    [
        pickle.GLOBAL + b"os " + b"a" * 300 + b"\n",
        pickle.SHORT_BINUNICODE + b"\xc8" + b"a" * 200 + pickle.SHORT_BINUNICODE + b"\x01b" + pickle.STACK_GLOBAL,
    ],
)
def test_names_to_import_that_are_too_long(opcodes: bytes) -> None:
    refused(zipped({"m/data.pkl": pickle.PROTO + b"\x04" + opcodes + pickle.STOP}), "damaged")


@pytest.mark.parametrize("levels", [1, 3])
def test_prefixes_are_stripped_as_often_as_all_names_have_them(levels: int) -> None:
    state = {"module._orig_mod." * levels + key: value for key, value in tiny_state().items()}
    assert set(import_checkpoint(save(state)).state) == set(tiny_state())


def test_a_name_that_is_longer_than_any() -> None:
    refused(save({"net." * 251 + "weight": torch.ones(1)}), "name has more than 1000 characters")


def test_tensors_without_numbers() -> None:
    empty = torch.empty(0, 3, 0, 3)
    refused(save({"encoder.0.0.weight": empty}), "no numbers at all")
    header = json.dumps({"a": {"dtype": "F32", "shape": [10**9, 3, 0, 3], "data_offsets": [0, 0]}}).encode()
    refused(struct.pack("<Q", len(header)) + header, "no numbers at all|damaged")
    refused(_described({"encoder.0.0.weight": ((10**9, 3, 0, 3), (9, 3, 3, 1), 4)}), "no numbers at all|damaged")


def test_numbers_repeated_in_a_file_that_is_one_state_dict(tmp_path: Path) -> None:
    (tmp_path / "w.pth").write_bytes(_described({"w": ((10**9, 10**9, 1, 1), (0, 0, 0, 0), 4)}))
    with pytest.raises(CheckpointError, match="larger than the file"):
        read_tensors(tmp_path / "w.pth")


def test_a_call_that_asks_for_all_memory() -> None:
    asks = pickle.dumps({"state_dict": {"w": Calls(bytearray, 10**12)}}, protocol=2)
    refused(zipped({"m/data.pkl": asks}), "something other")


def deflated(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("m/data.pkl", pickle.dumps({"a": 1}, 2))
        with archive.open("m/data/0", "w", force_zip64=True) as member:
            for _chunk in range(1024):
                member.write(bytes(2**20))
    assert path.stat().st_size < 2e6


def million_members(path: Path) -> None:
    record = struct.pack("<4s4B4HL2L5H2L", b"PK\1\2", 20, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0)
    directory = b"".join(record + b"%07d" % i for i in range(1_000_000))
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, len(directory), 4, 0)
    path.write_bytes(b"PK\3\4" + directory + end)


def million_tensors(path: Path) -> None:
    header = json.dumps({f"{i}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for i in range(1_000_000)}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header)


def full_directory(path: Path) -> None:
    opcodes = pickle.PROTO + b"\x02" + pickle.EMPTY_DICT + pickle.MARK
    opcodes += (
        b"".join(pickle.BININT + struct.pack("<i", i) + pickle.NONE for i in range(690_000)) + pickle.SETITEMS + pickle.STOP
    )
    assert len(opcodes) < 4 * 2**20
    path.write_bytes(zipped({"m/data.pkl": opcodes}))


def only_marks(path: Path) -> None:
    path.write_bytes(zipped({"m/data.pkl": pickle.PROTO + b"\x02" + pickle.MARK * (4 * 2**20 - 10)}))


def many_tensors(path: Path) -> None:
    numbers = torch.ones(1)
    torch.save({f"layer{i}.weight": numbers for i in range(12_000)}, path)


def absurd_names(path: Path) -> None:
    one, kernel = torch.ones(1), torch.ones(1, 1, 3, 3)
    names = {"conv0_0.conv1.weight": kernel, "conv0_0.bn1.weight": one, "conv0_1.conv1.weight": kernel, "final.weight": one}
    torch.save(names | {f"conv{9**99}_0.conv1.weight": one}, path)


def whole_network_nested_deeply(path: Path) -> None:
    network = torch.nn.Identity()
    for _level in range(40):
        network = torch.nn.Sequential(network, network)  # 2^40 paths lead to the innermost
    torch.save(network, path)


def _put(index: int) -> bytes:
    return pickle.BINPUT + bytes([index])


def _get(index: int) -> bytes:
    return pickle.BINGET + bytes([index])


def the_same_dictionary_again_and_again(path: Path) -> None:
    pairs = b"".join(pickle.BININT2 + struct.pack("<H", i) + pickle.NONE + pickle.TUPLE2 for i in range(3000))
    arguments = pickle.EMPTY_LIST + pickle.MARK + pairs + pickle.APPENDS + pickle.TUPLE1 + _put(0)
    function = pickle.GLOBAL + b"collections\nOrderedDict\n" + _put(1)
    calls = (_get(1) + _get(0) + pickle.REDUCE) * 2000
    path.write_bytes(zipped({"m/data.pkl": pickle.PROTO + b"\x02" + arguments + function + calls + pickle.STOP}))


def the_same_shape_again_and_again(path: Path) -> None:
    shape = pickle.MARK + (pickle.BININT1 + b"\x01") * 100_000 + pickle.TUPLE + _put(0)
    function = pickle.GLOBAL + b"torch._utils\n_rebuild_tensor_v2\n" + _put(1)
    kind = pickle.GLOBAL + b"torch\nFloatStorage\n"
    key = pickle.SHORT_BINUNICODE + b"\x010"
    storage = pickle.MARK + pickle.SHORT_BINUNICODE + b"\x07storage" + kind + key + key + pickle.BININT1 + b"\x04"
    arguments = pickle.MARK + storage + pickle.TUPLE + pickle.BINPERSID + pickle.BININT1 + b"\x00" + _get(0) * 2 + pickle.TUPLE
    calls = (_get(1) + _get(2) + pickle.REDUCE) * 20_000
    opcodes = pickle.PROTO + b"\x02" + shape + function + arguments + _put(2) + calls + pickle.STOP
    path.write_bytes(zipped({"m/data.pkl": opcodes, "m/data/0": bytes(16)}))


def the_same_long_name_again_and_again(path: Path) -> None:
    name = pickle.BINUNICODE + struct.pack("<I", 300_000) + b"a" * 300_000
    calls = (_get(0) + _get(0) + pickle.STACK_GLOBAL) * 3000
    path.write_bytes(zipped({"m/data.pkl": pickle.PROTO + b"\x04" + name + _put(0) + calls + pickle.STOP}))


def equal_long_keys_again_and_again(path: Path) -> None:
    name = pickle.BINUNICODE + struct.pack("<I", 1_000_000) + b"a" * 1_000_000
    first = pickle.EMPTY_DICT + name + pickle.NONE + pickle.SETITEM + name + _put(0)
    calls = (pickle.POP + _get(0) + pickle.NONE + pickle.SETITEM + _get(0)) * 50_000
    path.write_bytes(zipped({"m/data.pkl": pickle.PROTO + b"\x02" + first + calls + pickle.STOP}))


def whole_network_of_modules_that_share_their_tensors(path: Path) -> None:
    shared = {f"w{i}": torch.nn.Parameter(torch.ones(1)) for i in range(3000)}
    network = torch.nn.Sequential(*(torch.nn.Identity() for _ in range(3000)))
    for module in network:
        module.__dict__["_parameters"] = shared
    torch.save(network, path)


def whole_network_of_modules_that_share_their_children(path: Path) -> None:
    network = torch.nn.Sequential(*(torch.nn.Identity() for _ in range(3000)))
    for module in network:
        module.__dict__["_modules"] = network.__dict__["_modules"]
    torch.save(network, path)


def prefixes_without_end(path: Path) -> None:
    path.write_bytes(save({"net." * 900_000 + "weight": torch.ones(1)}))


def half_precision_unet(path: Path) -> None:
    torch.save(create_model("unet").half().state_dict(), path)  # 31 M parameters: 62 MB here, 124 MB in memory


BOMBS: dict[Callable[[Path], None], str] = {
    deflated: "packed",
    million_members: "more than any network has",
    million_tensors: "more than 10000 tensors",
    full_directory: "damaged",
    only_marks: "damaged",
    many_tensors: "more than 10000 tensors",
    absurd_names: "come closest to",
    whole_network_nested_deeply: "something other",
    the_same_dictionary_again_and_again: "damaged",
    the_same_shape_again_and_again: "damaged",
    the_same_long_name_again_and_again: "damaged",
    equal_long_keys_again_and_again: "damaged",
    whole_network_of_modules_that_share_their_tensors: "more than 10000 tensors",
    whole_network_of_modules_that_share_their_children: "more than 10000 tensors",
    prefixes_without_end: "more than 1000 characters",
    half_precision_unet: "",
}


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="measures memory as Linux counts it")
def test_bombs_take_bounded_time_and_memory(tmp_path: Path) -> None:
    paths = []
    for make in BOMBS:
        paths.append(tmp_path / f"{make.__name__}.pth")
        make(paths[-1])
    for (make, sentence), result in zip(BOMBS.items(), measured(paths), strict=True):
        print(f"{make.__name__}: {result['seconds']:.2f} s, {result['grown']:.0f} MB, {result['said']}")
        assert sentence in str(result["said"]) and bool(sentence) == bool(result["said"])
        assert float(result["seconds"]) < MAX_SECONDS and float(result["grown"]) < MAX_GROWTH_MB, make.__name__
