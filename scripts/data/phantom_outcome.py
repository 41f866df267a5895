"""What becomes of a synthetic subject: a score and the time to an event, both drawn from how much lesion there is."""

import math

import numpy as np

__all__ = ["COLUMNS", "draw_outcome"]

COLUMNS = ("subject", "lesion_ml", "severity", "score", "time", "event")
FIRST_SEEN, LAST_SEEN = 1.0, 10.0  # years after which nobody knows more


def draw_outcome(rng: np.random.Generator, lesion_ml: float) -> tuple[float, float, float, float, int]:
    """Values of `COLUMNS` but the first.

    `severity` is log(1 + lesion_ml): all that can be known of a subject, so that it is the ceiling of what predicts the
    others. `score` is 10 times that, with normal noise of 5. An event comes at random with a rate of
    exp(severity - 3) a year; `time` is that of the event (`event` 1) or the end of what was seen (0), in years.

    Args:
        rng: of the subject.
        lesion_ml: volume of its lesions.
    """
    severity = math.log1p(lesion_ml)
    score = 10 * severity + rng.normal(0, 5)
    due, end = rng.exponential(math.exp(3 - severity)), rng.uniform(FIRST_SEEN, LAST_SEEN)
    time = max(min(due, end), 0.01)
    return round(lesion_ml, 3), round(severity, 4), round(score, 2), round(time, 2), int(due <= end)
