#!/usr/bin/env python3
"""The quality of made rows as SDMetrics measures it, for `wordmill gan eval A B` to agree with.

    python benches/peers/tables.py REAL.csv MADE.csv [--no-header] [--categories a,b] [--missing NA,?]
    python benches/peers/tables.py REAL.csv MADE.csv --against QUALITY.json

The first prints the scores of the single-table quality and diagnostic reports as JSON, in the form of `gan eval --json`. The
second compares them with such a file: it prints the largest difference, and fails when a number differs by 1e-6 or more.

Columns are taken for what wordmill takes them for: categories are texts, and numbers of which there are up to 10 different
ones, each there twice on the average. The package draws 50,000 rows of larger tables for some of its scores; here it gets
all. Needs sdmetrics 0.32.
"""

import argparse
import json
import math
import sys
import time
import warnings

import pandas as pd

warnings.filterwarnings("ignore")

from sdmetrics.reports.single_table import DiagnosticReport, QualityReport  # noqa: E402
from sdmetrics.single_column import MissingValueSimilarity  # noqa: E402

MISSING = ["", "NA", "N/A", "?", "nan", "NaN", "null", "NULL"]


def read(path, options):
    missing = options.missing.split(",") + [""] if options.missing else MISSING
    table = pd.read_csv(
        path,
        dtype=str,
        header=None if options.no_header else 0,
        na_values=missing,
        keep_default_na=False,
        skipinitialspace=True,
    )
    if options.no_header:
        table.columns = [f"c{i + 1}" for i in range(table.shape[1])]
    return table


def numbers(column, forced):
    known = column.dropna()
    if column.name in forced or known.empty:
        return False
    if pd.to_numeric(known, errors="coerce").isna().any():
        return False
    different = known.nunique()
    return different > 10 or (different > 1 and 2 * different > len(known))


def score(real, made, forced):
    columns = {}
    for name in real.columns:
        if numbers(real[name], forced):
            columns[name] = {"sdtype": "numerical"}
            real[name], made[name] = real[name].astype(float), made[name].astype(float)
        else:
            columns[name] = {"sdtype": "categorical"}
    metadata = {"columns": columns}
    started = time.time()
    quality = QualityReport()
    quality.num_rows_subsample = None
    quality.generate(real, made, metadata, verbose=False)
    seconds = time.time() - started
    every = QualityReport()
    every.num_rows_subsample = None
    every.real_correlation_threshold = every.real_association_threshold = 0
    every.generate(real, made, metadata, verbose=False)
    diagnostic = DiagnosticReport()
    diagnostic.generate(real, made, metadata, verbose=False)
    shapes = quality.get_details("Column Shapes").set_index("Column")
    validity = diagnostic.get_details("Data Validity").set_index("Column")
    trends = quality.get_details("Column Pair Trends")
    all_trends = every.get_details("Column Pair Trends")
    result = {
        "column_shapes": quality.get_properties()["Score"][0],
        "pair_trends": quality.get_properties()["Score"][1],
        "all_pair_trends": every.get_properties()["Score"][1],
        "quality": quality.get_score(),
        "validity": diagnostic.get_properties()["Score"][0],
        "columns": [
            {
                "name": name,
                "kind": shapes["Metric"][name],
                "shape": shapes["Score"][name],
                "validity": validity["Score"][name],
                "missing": MissingValueSimilarity.compute(real[name], made[name]),
            }
            for name in columns
        ],
        "pairs": [],
    }
    for (_, pair), (_, all_pair) in zip(trends.iterrows(), all_trends.iterrows()):
        correlated = pair["Metric"] == "CorrelationSimilarity"
        counts = pair["Meets Threshold?"]
        result["pairs"].append(
            {
                "columns": [pair["Column 1"], pair["Column 2"]],
                "kind": pair["Metric"],
                "score": all_pair["Score"],
                "real": pair["Real Correlation" if correlated else "Real Association"],
                "counts": bool(counts) if not pd.isna(counts) else False,
            }
        )
    return result, seconds


def plain(value):
    """NaN is no JSON."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    if isinstance(value, float) and math.isnan(value):
        return None
    return value


def differences(ours, theirs, place=""):
    if isinstance(theirs, dict):
        for key in theirs:
            yield from differences(ours[key], theirs[key], f"{place}.{key}")
    elif isinstance(theirs, list):
        if len(ours) != len(theirs):
            yield math.inf, place, len(ours), len(theirs)
        for i, (a, b) in enumerate(zip(ours, theirs)):
            yield from differences(a, b, f"{place}[{i}]")
    elif isinstance(theirs, float) and isinstance(ours, (int, float)):
        yield abs(ours - theirs), place, ours, theirs
    else:
        yield (0.0 if ours == theirs else math.inf), place, ours, theirs


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("real")
    parser.add_argument("made")
    parser.add_argument("--no-header", action="store_true")
    parser.add_argument("--categories", default="")
    parser.add_argument("--missing")
    parser.add_argument("--against")
    options = parser.parse_args()
    real, made = read(options.real, options), read(options.made, options)
    result, seconds = score(real, made, options.categories.split(","))
    result = plain(result)
    if not options.against:
        print(json.dumps(result, indent=1))
        return
    with open(options.against) as file:
        ours = json.load(file)
    found = sorted(differences(ours, result), reverse=True, key=lambda found: found[0])
    for found_here in [found_here for found_here in found if found_here[0] >= 1e-6][:10]:
        print("%g at %s: %s, but sdmetrics has %s" % found_here)
    print(f"{len(found)} numbers, the largest difference {found[0][0]:.2g}; sdmetrics took {seconds:.1f} s")
    sys.exit(1 if found[0][0] >= 1e-6 else 0)


if __name__ == "__main__":
    main()
