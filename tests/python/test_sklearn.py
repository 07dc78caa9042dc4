"""The estimators: scikit-learn's own checks, pipelines, searches, pickling."""
import inspect
import pathlib
import pickle
import unittest
import warnings

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import SkipTestWarning
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

import docs
from nnblas import NNBLASClassifier, NNBLASRegressor

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def iris():
    table = np.loadtxt(ROOT / "examples/data/iris.csv", str, delimiter=",", skiprows=1)
    return table[:, :4].astype(float), table[:, 4]


# The checks that may fail, and why: docs/python.md.
MAY_FAIL = {"check_sample_weight_equivalence_on_dense_data": "a weight of 2 is not the same as the row twice"}
KERNELS = "one row goes through other kernels than many"
SINGLE_MAY_FAIL = {**MAY_FAIL, "check_methods_subset_invariance": KERNELS,
                   "check_methods_sample_order_invariance": KERNELS}
NOT_INSTALLED = "pandas is not installed|SCIPY_ARRAY_API is not set"


def takes_columns(estimator):
    """The tag for y of two dimensions."""
    try:
        from sklearn.utils import get_tags
    except ImportError:  # before scikit-learn 1.6
        return estimator._get_tags()["multioutput"]
    return get_tags(estimator).target_tags.multi_output


def run_checks(estimator, may_fail):
    """check_estimator; scikit-learn before 1.6 has no expected_failed_checks."""
    if "expected_failed_checks" in inspect.signature(check_estimator).parameters:
        check_estimator(estimator, expected_failed_checks=may_fail)
        return
    for one, check in check_estimator(estimator, generate_only=True):
        try:
            check(one)
        except unittest.SkipTest as skipped:
            warnings.warn(str(skipped), SkipTestWarning)
        except AssertionError:
            if check.func.__name__ not in may_fail:
                raise


class Checks(unittest.TestCase):
    def test_check_estimator(self):
        for dtype, may_fail in (("float64", MAY_FAIL), ("float32", SINGLE_MAY_FAIL)):
            for kind in (NNBLASRegressor, NNBLASClassifier):
                with self.subTest(kind.__name__, dtype=dtype), warnings.catch_warnings():
                    warnings.simplefilter("error", SkipTestWarning)  # no check is left out
                    warnings.filterwarnings("default", f"(?s).*({NOT_INSTALLED})", SkipTestWarning)
                    run_checks(kind(dtype=dtype), may_fail)

    def test_columns_of_targets_are_announced(self):
        self.assertTrue(takes_columns(NNBLASRegressor()))
        self.assertFalse(takes_columns(NNBLASClassifier()))

    def test_rows_alone_and_together_in_an_exact_net(self):
        x, _ = iris()
        model = NNBLASRegressor(dtype="float32", random_state=1).fit(x[:, :3], x[:, 3])
        try:
            model.net_.exact()
        except NotImplementedError as error:
            self.skipTest(str(error))
        together = model.predict(x[:, :3])
        np.testing.assert_array_equal([model.predict(row[None])[0] for row in x[:, :3]], together)


class Use(unittest.TestCase):
    def test_pipeline_and_search(self):
        x, y = iris()
        search = GridSearchCV(
            make_pipeline(StandardScaler(), NNBLASClassifier(random_state=0, max_epochs=40)),
            {"nnblasclassifier__hidden": ["", "6:tanh"], "nnblasclassifier__l2": [1e-3, 1e-2]}, cv=3, n_jobs=1)
        search.fit(x, y)
        self.assertGreater(search.best_score_, 0.94)
        again = pickle.loads(pickle.dumps(search))
        np.testing.assert_array_equal(again.predict(x), search.predict(x))
        np.testing.assert_array_equal(again.predict_proba(x), search.predict_proba(x))

    def test_both_precisions(self):
        x, y = iris()
        for dtype in ("float64", "float32"):
            classifier = NNBLASClassifier(dtype=dtype, random_state=1)
            self.assertGreater(cross_val_score(classifier, x, y, cv=3).mean(), 0.94)
            regressor = NNBLASRegressor(hidden="8:tanh", dtype=dtype, random_state=1, max_epochs=50, algo="lbfgs")
            regressor.fit(x[:, :2], x[:, 2:])
            self.assertEqual((regressor.predict(x[:, :2]).shape, regressor.net_.dtype), ((150, 2), np.dtype(dtype)))
            self.assertGreater(regressor.score(x[:, :2], x[:, 2:]), 0.9)

    def test_data_in_single_precision(self):
        """float32 arrays are used as they are, and give the net that the same numbers in float64 give."""
        x, y = iris()
        single = x.astype(np.float32)
        classifier = NNBLASClassifier(dtype="float32", random_state=1)
        probabilities = classifier.fit(single, y).predict_proba(single)
        self.assertEqual((probabilities.dtype, classifier._inputs(single) is single), (np.float32, True))
        np.testing.assert_array_equal(classifier.fit(x, y).predict_proba(x), probabilities)
        regressor = NNBLASRegressor(hidden="8:tanh", dtype="float32", random_state=1, max_epochs=50, algo="lbfgs")
        first = regressor.fit(single[:, :3], single[:, 3]).predict(single[:, :3])
        np.testing.assert_array_equal(regressor.fit(x[:, :3], x[:, 3]).predict(x[:, :3]), first)
        wide = NNBLASRegressor(algo="lbfgs", max_epochs=5).fit(single[:, :3], single[:, 3])
        self.assertEqual(wide.net_.dtype, np.float64)

    def test_options_reach_the_library(self):
        x, y = iris()
        regressor = NNBLASRegressor(algo="adam", batch=16, lr=0.01, options={"max_epochs": 3, "schedule": "cosine"})
        self.assertEqual(clone(regressor).get_params(), regressor.get_params())
        report = regressor.fit(x[:, :3], x[:, 3]).report_
        self.assertEqual((report.algo, report.batch, report.epochs, regressor.n_iter_), ("adam", 16, 3, 3))
        self.assertRaisesRegex(ValueError, "did you mean lm", NNBLASRegressor(algo="lmm").fit, x[:, :3], x[:, 3])

    def test_the_order_of_rows_does_not_matter(self):
        x, y = iris()
        order = np.random.default_rng(1).permutation(len(x))
        first = NNBLASClassifier(random_state=2).fit(x, y)
        other = NNBLASClassifier(random_state=2).fit(x[order], y[order])
        np.testing.assert_array_equal(first.net_.params, other.net_.params)

    def test_rows_of_weight_0_do_not_count(self):
        x, y = iris()
        weight = np.where(y == "setosa", 0, np.arange(1, 151))
        weighted = NNBLASClassifier(random_state=2).fit(x, y, sample_weight=weight)
        self.assertEqual(list(weighted.classes_), ["setosa", "versicolor", "virginica"])
        self.assertFalse((weighted.predict(x[y != "setosa"]) == "setosa").any())


class Documentation(unittest.TestCase):
    def test_programs(self):
        docs.run_programs(self, True)


if __name__ == "__main__":
    unittest.main()
