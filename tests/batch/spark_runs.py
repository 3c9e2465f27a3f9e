"""Runs batch/spark.py several times in one Spark, which takes seconds to start: spark_runs.py SCRIPT JOBS ENDS TABLE…

JOBS has a JSON list of arguments a line. ENDS gets a JSON list for each, the status and the words of a failure, and then the
rows of each folder of Parquet. Files, for spark-submit keeps stdin to itself and mixes stdout with stderr.
"""

import importlib.util
import json
import sys

from pyspark.sql import SparkSession

script, jobs, ends, *tables = sys.argv[1:]
spec = importlib.util.spec_from_file_location("batch_spark", script)
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
with open(jobs, encoding="utf-8") as lines, open(ends, "w", encoding="utf-8") as out:
    for line in lines:
        sys.argv = [script, *json.loads(line)]
        end = [0, ""]
        try:
            module.main()
        except SystemExit as failure:
            end = [failure.code if isinstance(failure.code, int) else 1, str(failure.code)]
        except Exception as failure:
            end = [1, str(failure)]
        print(json.dumps(end), file=out)
    spark = SparkSession.builder.getOrCreate()
    for table in tables:
        rows = spark.read.parquet(table).collect()
        print(json.dumps(sorted(([*row] for row in rows), key=str)), file=out)
