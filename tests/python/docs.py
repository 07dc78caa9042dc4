"""The programs of docs/python.md, each run in an empty folder; what they print is the text below them."""
import pathlib
import re
import subprocess
import sys
import tempfile

TEXT = (pathlib.Path(__file__).resolve().parent.parent.parent / "docs/python.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"^```python\n# (\w+)\.py\n(.*?)^```\n\n^```text\n(.*?)^```", TEXT, flags=re.M | re.S)


def run_programs(test, with_sklearn):
    """Runs those that need scikit-learn, or the others."""
    chosen = [p for p in PROGRAMS if ("sklearn" in p[1]) == with_sklearn]
    test.assertTrue(chosen)
    for name, program, wanted in chosen:
        with tempfile.TemporaryDirectory() as folder, test.subTest(name):
            done = subprocess.run([sys.executable, "-c", program], cwd=folder, stdout=subprocess.PIPE, text=True)
            test.assertEqual((done.returncode, done.stdout), (0, wanted))
