"""How colours look to eyes that lack one kind of cone, and how far two colours are apart."""

from itertools import combinations

from mvtui.model.contrast import linear

NORMAL = "normal"
# Machado, Oliveira, Fernandes: A Physiologically-based Model for Simulation of Color Vision Deficiency, IEEE
# Transactions on Visualization and Computer Graphics 15 (6), 2009; their tables for severity 1.0, on linear RGB.
SIGHTS = {
    NORMAL: ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}
# sRGB to XYZ, and the white point D65 (IEC 61966-2-1).
_XYZ = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
_WHITE = (0.9505, 1.0, 1.089)

# The least difference between two patches that people see is 2.3 (Mahy, Van Eycken, Oosterlinck: Evaluation of Uniform
# Color Spaces, Color Research and Application 19 (2), 1994). Thin strokes, not beside each other, need more; ten times
# as much is what is asked here.
APART = 23.0

Vector = tuple[float, float, float]


def lab(colour: str, sight: str = NORMAL) -> Vector:
    """CIE 1976 L*a*b* of `#rrggbb` as that sight sees it."""
    seen = _times(SIGHTS[sight], linear(colour))
    xyz = _times(_XYZ, (_bounded(seen[0]), _bounded(seen[1]), _bounded(seen[2])))
    x, y, z = (_root(value / white) for value, white in zip(xyz, _WHITE, strict=True))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def distance(one: str, other: str, sight: str = NORMAL) -> float:
    """How far two colours are apart for that sight: CIE 1976 ΔE*ab."""
    pairs = zip(lab(one, sight), lab(other, sight), strict=True)
    return float(sum((a - b) ** 2 for a, b in pairs) ** 0.5)


def too_near(colours: dict[str, str], sight: str, apart: float = APART) -> list[str]:
    """The pairs of these colours that are nearer for that sight, each with its distance."""
    distances = {(a, b): distance(colours[a], colours[b], sight) for a, b in combinations(colours, 2)}
    return [f"{a} and {b}: {found:.1f}" for (a, b), found in distances.items() if found < apart]


def _times(matrix: tuple[tuple[float, ...], ...], vector: Vector) -> Vector:
    x, y, z = (sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix)
    return x, y, z


def _bounded(value: float) -> float:
    return min(1.0, max(0.0, value))


def _root(value: float) -> float:
    return float(value ** (1 / 3)) if value > 216 / 24389 else (24389 / 27 * value + 16) / 116
