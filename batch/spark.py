#!/usr/bin/env python3
"""Runs a wordmill command over a column of a table with Spark: a line for each row, or counts of terms.

    spark-submit spark.py lines --binary ./wordmill --input s3://BUCKET/reviews --from parquet --column text \
        --output s3://BUCKET/stems -- stem --from lines
    spark-submit spark.py counts --binary ./wordmill --input reviews.csv --from csv --column text \
        --output counts -- --ngrams 1-2 --stopwords en

`lines` pipes the column through `wordmill COMMAND`, in each partition a process that gets a line for each row and must give
a line for each. It writes Parquet with all columns of the input and one more, or text with the new column alone. A row
whose text is null stays null.

`counts` runs `wordmill bow --counts` in each partition and adds up what they give with `wordmill merge`; the output is a
folder with one file of counts, part-00000, that `wordmill merge` and `wordmill tfidf --counts` read. All counts must fit
into the memory of an executor, and of the driver in the end.

A text may hold line ends, and then is no line. The job fails at such a row, unless --line-ends replace makes them spaces.

Why not rdd.pipe: it has no room for the other columns, takes exit codes only with checkCode, and does not see when lines
are lost. A task that fails is tried again as often as spark.task.maxFailures says (4), then the job fails.
"""

import argparse
import os
import queue
import re
import subprocess
import sys
import tempfile
import threading

from pyspark import SparkFiles
from pyspark.sql import SparkSession
from pyspark.sql.types import StringType, StructField, StructType

# What wordmill takes for the end of a line, and what Python's text streams would. Others, such as U+2028, are white space.
LINE_END = re.compile(r"\r\n|\n|\r")


def arguments():
    parser = argparse.ArgumentParser(description="Arguments of wordmill follow behind --")
    parser.add_argument("mode", choices=["lines", "counts"])
    parser.add_argument("--binary", required=True, help="wordmill, on the machine of the driver; Spark ships it")
    parser.add_argument("--input", required=True, help="path or address of the table")
    parser.add_argument("--from", dest="source", choices=["text", "csv", "parquet"], default="text")
    parser.add_argument("--column", default="value", help="column with the text; of text files it is value")
    parser.add_argument("--output", required=True, help="folder to write, which must not be there")
    parser.add_argument("--to", choices=["text", "parquet"], default="text", help="what `lines` writes")
    parser.add_argument("--into", default="wordmill", help="name of the new column")
    parser.add_argument("--line-ends", choices=["refuse", "replace"], default="refuse", help="of the text of a row")
    cut = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    args = parser.parse_args(sys.argv[1:cut])
    args.command = sys.argv[cut + 1 :]
    if args.mode == "counts":
        args.command = ["bow", "--counts", "--from", "text", *args.command]
    elif not args.command:
        parser.error("no command of wordmill behind --")
    return args


def run(binary, command, texts):
    """Pipes texts, a line each, through wordmill, and gives the bytes of each line that comes back."""
    with tempfile.TemporaryFile() as errors:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": errors}
        child = subprocess.Popen([SparkFiles.get(binary), *command], **pipes)
        failures = []

        # Fed by a thread: both pipes are full otherwise, and both sides wait.
        def feed():
            try:
                for text in texts:
                    child.stdin.write(text.encode("utf-8") + b"\n")
                child.stdin.close()
            except Exception as failure:
                failures.append(failure)
                child.kill()

        feeder = threading.Thread(target=feed, daemon=True)
        feeder.start()
        try:
            yield from child.stdout
            feeder.join()
            # A broken pipe is what follows when wordmill has failed: its own words say more.
            for failure in failures:
                if not isinstance(failure, BrokenPipeError):
                    raise failure
            if child.wait() != 0:
                errors.seek(0)
                said = errors.read().decode("utf-8", "replace")
                raise RuntimeError(f"wordmill {' '.join(command)}: status {child.returncode}\n{said}")
        finally:
            child.kill()
            child.wait()


def line(text, replaces):
    """The text of a row as a line."""
    if text is None:
        return ""
    if not LINE_END.search(text):
        return text
    if not replaces:
        raise ValueError(f"a text of more than one line (--line-ends replace makes one of it): {text[:80]!r}")
    return LINE_END.sub(" ", text)


def piped(binary, command, column, replaces):
    """What maps the rows of a partition to rows with what wordmill makes of their text."""

    def partition(rows):
        waiting = queue.SimpleQueue()

        def texts():
            for row in rows:
                waiting.put(row)
                yield line(row[column], replaces)

        for made in run(binary, command, texts()):
            if waiting.empty():
                raise RuntimeError(f"wordmill {' '.join(command)}: more lines than rows (is --from lines missing?)")
            row = waiting.get()
            yield (*row, None if row[column] is None else made.decode("utf-8").removesuffix("\n"))
        if not waiting.empty():
            raise RuntimeError(f"wordmill {' '.join(command)}: fewer lines than rows (is --from lines missing?)")

    return partition


def counted(binary, command, column, replaces):
    """What maps the rows of a partition to the bytes of its counts; of no rows these are valid, too."""

    def partition(rows):
        texts = (line(row[column], replaces) for row in rows if row[column] is not None)
        yield b"".join(run(binary, command, texts))

    return partition


def merged(binary):
    """What adds up two files of counts."""

    def merge(one, other):
        with tempfile.NamedTemporaryFile() as first, tempfile.NamedTemporaryFile() as second:
            for file, counts in (first, one), (second, other):
                file.write(counts)
                file.flush()
            return b"".join(run(binary, ["merge", first.name, second.name], ()))

    return merge


def main():
    args = arguments()
    spark = SparkSession.builder.appName(f"wordmill {args.command[0]}").getOrCreate()
    context = spark.sparkContext
    # Spark runs a task on each core that it has.
    command = [*args.command, "--threads", spark.conf.get("spark.task.cpus", "1")]
    # A wrong command line is better known at once than by each task, four times.
    tried = subprocess.run([args.binary, *command], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    if tried.returncode != 0:
        sys.exit(tried.returncode)
    # Each executor gets the file once, and may run it.
    context.addFile(args.binary)
    binary = os.path.basename(args.binary)

    options = {"header": True, "multiLine": True, "escape": '"'} if args.source == "csv" else {}
    table = spark.read.format(args.source).options(**options).load(args.input)
    if args.column not in table.columns:
        sys.exit(f"spark.py: no column {args.column}, but {', '.join(table.columns)}")
    if args.mode == "lines" and args.into in table.columns:
        sys.exit(f"spark.py: there is a column {args.into} already; --into names the new one")
    replaces = args.line_ends == "replace"
    if args.mode == "counts":
        # An empty input may have no partition, and counts of nothing are counts.
        texts = table.select(args.column).rdd.union(context.parallelize([], 1))
        whole = texts.mapPartitions(counted(binary, command, args.column, replaces)).treeReduce(merged(binary))
        context.parallelize([whole.removesuffix(b"\n")], 1).saveAsTextFile(args.output)
        return
    rows = table.rdd.mapPartitions(piped(binary, command, args.column, replaces))
    schema = StructType([*table.schema.fields, StructField(args.into, StringType())])
    made = spark.createDataFrame(rows, schema, verifySchema=False)
    if args.to == "text":
        made = made.select(args.into).na.fill("")
    made.write.format(args.to).save(args.output)


if __name__ == "__main__":
    main()
