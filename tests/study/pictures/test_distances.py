"""The picture of a configuration's distances: its labels are the configuration's."""

from xml.etree import ElementTree

import pytest

from softmaxfx.golden import preset
from softmaxfx.study.pictures.distances import CONFIG, codes_at, distances_svg, marked

EXACT = CONFIG.replace(datapath="exact_sum")


def texts_of(picture: str) -> set[str]:
    root = ElementTree.fromstring(picture)
    return {"".join(text.itertext()) for text in root.iter("{http://www.w3.org/2000/svg}text")}


def test_a_distance_is_labelled_with_its_names_and_its_value():
    assert marked(CONFIG) == {
        0: "nearest = 0",
        CONFIG.path.reach: f"reach = {CONFIG.path.reach}",
        CONFIG.span: f"farthest = {CONFIG.span}",
    }
    exact = EXACT.path
    assert marked(EXACT) == {
        exact.nearest: f"nearest = {exact.nearest}",
        exact.reach: f"reach = farthest = {exact.reach}",
    }


def test_the_configuration_shows_distances_that_differ():
    exact = EXACT.path
    assert 0 < CONFIG.path.reach < CONFIG.path.farthest
    assert len({0, exact.nearest, exact.origin, exact.reach, CONFIG.span}) == 5


def test_the_codes_of_exact_sum_lie_a_span_apart():
    exact = EXACT.path
    first, zero, last = sorted(codes_at(EXACT))
    assert (first, zero, last) == (exact.nearest, exact.origin, exact.farthest)
    assert last - first == EXACT.span


@pytest.mark.parametrize("name", ["int8", "tiny"])
def test_the_picture_shows_every_label_of_any_configuration(name):
    config = preset(name)
    exact = config.replace(datapath="exact_sum")
    lengths = {f"span = {config.span}", f"origin = {exact.path.origin}"}
    assert {*marked(config).values(), *marked(exact).values()} | lengths <= texts_of(
        distances_svg(config)
    )


def test_the_same_configuration_gives_the_same_bytes():
    assert distances_svg() == distances_svg()
