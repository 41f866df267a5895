"""Draws of scans are items of their own."""

from monai.transforms import Randomizable, Transform

from scripts.data.drawn import Drawn
from scripts.transforms.repeatable import Repeatable

COHORT = ["A1", "A2", "B1", "B2"]


class Counted:
    """Prepares scans, draws numbers of them, and counts both."""

    def __init__(self, *names, draws=3, **options):
        self.prepared, self.drawn = [], 0
        scans = [{"subject": name[0], "image": name, "scan": i} for i, name in enumerate(names)]
        self.items = Drawn(scans, self.prepare, Repeatable(Draw(self)), draws, **options)

    def __deepcopy__(self, memo):
        return self

    def prepare(self, scan):
        self.prepared.append(scan["image"])
        return scan


class Draw(Randomizable, Transform):
    def __init__(self, counted):
        self.counted = counted

    def __call__(self, scan):
        self.counted.drawn += 1
        return scan["image"], self.R.randint(1000)


def named(items):
    return [items[i][0] for i in range(len(items))]


def test_the_first_draw_of_all_scans_comes_before_the_second_of_all_and_subjects_take_turns():
    assert named(Counted(*COHORT, draws=2).items) == 2 * ["A1", "B1", "A2", "B2"]


def test_draws_of_a_scan_differ_and_are_the_same_each_time_kept_or_not():
    kept, other = (Counted(*COHORT, cache_rate=rate).items for rate in (1.0, 0.0))
    assert len(kept) == 12 and len({kept[i] for i in range(12)}) == 12
    assert [kept[i] for i in range(12)] == [other[i] for i in range(12)] == [other[i] for i in range(12)]


def test_a_scan_that_is_kept_is_prepared_once():
    counted = Counted(*COHORT)
    named(counted.items), named(counted.items)
    assert sorted(counted.prepared) == COHORT and counted.drawn == 12


def test_of_a_scan_that_is_not_kept_one_draw_is_made_for_each_item():
    counted = Counted(*COHORT, cache_rate=0.5)
    assert counted.prepared == ["A1", "B1"] and counted.drawn == 6
    named(counted.items)
    assert counted.drawn == 6 + 6 and len(counted.prepared) == 2 + 6
