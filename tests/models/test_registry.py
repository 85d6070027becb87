import pytest

pytest.importorskip("torch")

from edgesr.errors import ConfigError
from edgesr.models import all_networks, get_network, register
from edgesr.models.registry import Network, Options, parse_options


def test_the_rows_of_the_paper_are_there() -> None:
    names = {network.name for network in all_networks()}
    assert {"bicubic", "esr", "esr-fast", "espcn", "fsrcnn", "dvmsr", "student", "teacher"} <= names


@pytest.mark.parametrize(
    ("row", "full"),
    [
        ("esr", "esr-cnn:C8-D9-S6"),
        ("esr-fast", "esr-max:K3-C2"),
        ("espcn", "espcn:D64-S32"),
        ("fsrcnn", "fsrcnn:D32-S6-M1"),
    ],
)
def test_a_row_is_its_full_name(row: str, full: str) -> None:
    assert get_network(row).summary == get_network(full).summary


def test_every_network_says_what_it_is_and_exists_at_all_scales() -> None:
    for network in all_networks():
        assert network.summary
        assert network.context
        assert network.scales == (2, 3, 4)
        assert network.module(3).scale == 3


def test_options_are_letters_and_numbers() -> None:
    assert parse_options("D32-SKIP-N1", "a:D32") == {"D": 32, "SKIP": None, "N": 1}
    for bad in ("d32", "D-3", "32", "D3.5"):
        with pytest.raises(ConfigError, match="cannot read") as caught:
            parse_options(bad, "a network")
        assert caught.value.where == "a network"
    with pytest.raises(ConfigError, match="D comes twice") as caught:
        parse_options("D32-D16", "a network")
    assert caught.value.where == "a network"


@pytest.mark.parametrize(
    "name", ["mambalitesr:D", "mambalitesr:SKIP2", "mambalitesr:Q3", "esr-max"]
)
def test_options_that_do_not_fit_are_refused(name: str) -> None:
    with pytest.raises(ConfigError):
        get_network(name)


def test_an_unknown_name_is_answered_with_close_ones() -> None:
    with pytest.raises(ConfigError, match="student") as caught:
        get_network("studnet")
    assert caught.value.fix == "edgesr models"


def test_a_scale_that_is_not_there_is_refused() -> None:
    with pytest.raises(ConfigError, match="2, 3, 4"):
        get_network("espcn").module(5)


def test_a_taken_name_leaves_the_registry_as_it_was() -> None:
    def build(name: str, options: Options) -> Network:
        raise AssertionError("not reached")

    before = [network.name for network in all_networks()]
    with pytest.raises(ConfigError, match="already registered: espcn"):
        register("new-family", build, named={"new": "", "espcn": ""})
    assert [network.name for network in all_networks()] == before
    with pytest.raises(ConfigError):
        get_network("new-family:A1")
