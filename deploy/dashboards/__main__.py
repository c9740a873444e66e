"""`python -m deploy.dashboards`: write all four. `make generated` does it too, and `make verify-generated` compares."""

from pathlib import Path

from deploy.dashboards.written import BOARDS, FOLDER, written

ROOT = Path(__file__).resolve().parents[2]

for name in BOARDS:
    (ROOT / FOLDER).mkdir(parents=True, exist_ok=True)
    (ROOT / FOLDER / f"{name}.json").write_text(written(name), encoding="utf-8")
