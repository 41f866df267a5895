"""A training over two hosts, which are network namespaces joined by a cable: `--two-hosts`, as root, on Linux."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

BUNDLES = Path(__file__).parents[2] / "bundles"
ISIMED = BUNDLES / "isimed_pretraining"
ADDRESSES = {"isimed_a": "10.77.0.1", "isimed_b": "10.77.0.2"}
FIRST, SECOND = ADDRESSES

pytestmark = pytest.mark.slow


def ip(*words):
    subprocess.run(["ip", *words], check=True)


@pytest.fixture
def hosts(request):
    """Two of them, each of which sees the other at its address and nothing else."""
    if not request.config.getoption("--two-hosts"):
        pytest.skip("no --two-hosts given")
    try:
        for host in ADDRESSES:
            ip("netns", "add", host)
        ip("link", "add", FIRST, "netns", FIRST, "type", "veth", "peer", "name", SECOND, "netns", SECOND)
        for host, address in ADDRESSES.items():
            ip("-n", host, "address", "add", f"{address}/24", "dev", host)
            for link in (host, "lo"):
                ip("-n", host, "link", "set", link, "up")
        yield ADDRESSES
    finally:
        for host in ADDRESSES:
            subprocess.run(["ip", "netns", "delete", host], stderr=subprocess.DEVNULL)


@pytest.fixture
def settings(small, bodies):
    """Of a training of seconds, whose network is a thousandth of the usual one."""
    network = {"_target_": "DenseNet", "init_features": 4, "growth_rate": 4, "block_config": [1, 1]}
    small = small | {"val_size": 2, "batch_size": 1, "test_size": 0.1, "max_epochs": 2, "dataset_dir": bodies}
    return small | {f"network_def#{key}": value for key, value in network.items()}


@pytest.fixture
def begin(hosts, command):
    """A function: a training that begins on both hosts; the process of each, which is ended with the test."""
    started = []

    def on(host, bundle, **overrides):
        words = ["ip", "netns", "exec", host, sys.executable, "-W", "ignore", "-m", "torch.distributed.run"]
        words += ["--nnodes=2", "--nproc-per-node=1", "--rdzv-backend=c10d", f"--rdzv-endpoint={hosts[FIRST]}:29500"]
        words += [f"--rdzv-conf=is_host={int(host == FIRST)}", f"--local-addr={hosts[host]}"]
        words += command(bundle, "train", "multi_gpu_train", **overrides)
        environment = os.environ | {"PYTHONPATH": "", "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": host}
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "start_new_session": True}
        started.append(subprocess.Popen(words, cwd=bundle, env=environment, **options))
        return started[-1]

    yield lambda bundle, **overrides: [on(host, bundle, **overrides) for host in hosts]
    for host in hosts:
        kill(host)
    for process in started:
        process.communicate()


def kill(host):
    """End all processes of a host as a loss of power does."""
    found = subprocess.run(["ip", "netns", "pids", host], capture_output=True, text=True).stdout.split()
    for process in map(int, found):
        os.kill(process, signal.SIGKILL)


def ended(processes):
    """What processes printed that end well."""
    output = [process.communicate(timeout=300)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], output
    return output


def wait_for_checkpoint(folder):
    deadline = time.monotonic() + 300
    while not (folder / "checkpoint.pt").is_file() and time.monotonic() < deadline:
        time.sleep(0.2)


def steps_of(folder):
    return torch.load(folder / "checkpoint.pt", weights_only=True)["trainer"]["iteration"]


@pytest.mark.parametrize("bundle", [ISIMED, BUNDLES / "simclr_pretraining"], ids=lambda path: path.name)
def test_two_hosts_learn_what_two_processes_of_one_host_do(begin, launch, history, settings, bundle, tmp_path):
    ended(begin(bundle, output_dir=tmp_path / "hosts", **settings))
    launcher = ("-m", "torch.distributed.run", "--nproc_per_node=2", "--standalone")
    launch(bundle, "train", "multi_gpu_train", launcher=launcher, output_dir=tmp_path / "processes", **settings)
    hosts, processes = (
        [float(row[name]) for row in history(tmp_path / place) for name in ("train_loss", "validation_loss")]
        for place in ("hosts", "processes")
    )
    assert len(hosts) == 4 and hosts == processes


def lose(host):
    kill(host)


def cut_off(host):
    ip("-n", host, "link", "set", host, "down")


@pytest.mark.parametrize("happens", [lose, cut_off])
def test_where_one_host_is_lost_the_other_ends_with_a_sentence_and_the_run_is_resumed(
    hosts, begin, history, settings, tmp_path, happens
):
    run = settings | {"output_dir": tmp_path, "checkpoint_steps": 1, "patience": 0.2}
    first, _ = begin(ISIMED, **run | {"max_epochs": 1000})
    wait_for_checkpoint(tmp_path)
    happens(SECOND)
    output, _ = first.communicate(timeout=60)
    assert first.returncode == 1 and "error: Another process of this training ended, or did not answer" in output
    kill(SECOND)
    done = steps_of(tmp_path)
    epochs = done // 2 + 1  # of two steps each
    ip("-n", SECOND, "link", "set", SECOND, "up")
    output, _ = ended(begin(ISIMED, **run | {"max_epochs": epochs, "resume": "true"}))
    assert f"resumes with epoch {epochs} of {epochs}" in output
    assert [int(row["epoch"]) for row in history(tmp_path)] == list(range(1, epochs + 1))
