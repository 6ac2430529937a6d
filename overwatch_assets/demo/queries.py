"""What the company's notebooks compute: the shapes of their Spark queries.

A shape says how many tasks a stage has and what one of them typically reads, shuffles and
spills; the simulation draws the actual figures around it.
"""

from dataclasses import dataclass

MB = 1_000_000


@dataclass(frozen=True, slots=True)
class StageShape:
    """A stage; figures are those of a typical task.

    Attributes:
        tasks: Partitions of the stage.
        run_ms: Median run time of a task.
        spill: Bytes spilled from memory.
        skew: How many times longer the largest partition takes.
    """

    operation: str
    tasks: int
    run_ms: int
    input_bytes: int = 0
    output_bytes: int = 0
    shuffle_read: int = 0
    shuffle_write: int = 0
    spill: int = 0
    skew: float = 1.0


@dataclass(frozen=True, slots=True)
class QueryShape:
    """A query.

    Attributes:
        text: What stands in the notebook cell.
        call_site: Method that made Spark compute, as in a stage's name.
        is_adaptive: Each stage is a Spark job of its own that lists the one before as skipped.
        is_sql: False: plain RDD work without SQL execution.
    """

    text: str
    call_site: str
    stages: tuple[StageShape, ...]
    is_adaptive: bool = False
    is_sql: bool = True


QUERIES = {
    "count_rows": QueryShape(
        "select count(*) from sales.transactions",
        "collect at cmd-1:1",
        (
            StageShape("Scan parquet", 8, 260, input_bytes=9 * MB, shuffle_write=59),
            StageShape("HashAggregate", 1, 60, shuffle_read=59),
        ),
    ),
    "store_sales": QueryShape(
        "select store_id, sum(amount) from sales.transactions group by store_id",
        "toPandas at cmd-4:2",
        (
            StageShape("Scan parquet", 16, 2100, input_bytes=61 * MB, shuffle_write=2 * MB),
            StageShape("HashAggregate", 8, 450, shuffle_read=4 * MB),
        ),
        is_adaptive=True,
    ),
    "basket_join": QueryShape(
        "select b.basket_id, p.category\nfrom baskets b join products p using (product_id)",
        "saveAsTable at cmd-7:9",
        (
            StageShape("Scan parquet", 12, 3400, input_bytes=88 * MB, shuffle_write=41 * MB),
            StageShape(
                "SortMergeJoin",
                16,
                5200,
                shuffle_read=31 * MB,
                shuffle_write=12 * MB,
                spill=190 * MB,
                skew=7.5,
            ),
            StageShape("InsertIntoHadoopFs", 8, 1900, shuffle_read=24 * MB, output_bytes=17 * MB),
        ),
    ),
    "daily_report": QueryShape(
        "select day, region, sum(amount) over (partition by region order by day) from daily",
        "showString at NativeMethodAccessorImpl.java:0",
        (
            StageShape("Scan parquet", 10, 1200, input_bytes=33 * MB, shuffle_write=6 * MB),
            StageShape("Window", 6, 1700, shuffle_read=10 * MB, shuffle_write=MB, spill=22 * MB),
            StageShape("TakeOrderedAndProject", 1, 120, shuffle_read=MB),
        ),
        is_adaptive=True,
    ),
    "read_tills": QueryShape(
        "spark.read.json('s3://tidewater-landing/tills')",
        "save at cmd-2:3",
        (StageShape("Scan json", 20, 4800, input_bytes=52 * MB, output_bytes=14 * MB),),
    ),
    "merge_sales": QueryShape(
        "merge into sales.transactions t using tills s on t.till_id = s.till_id",
        "executeMerge at cmd-3:1",
        (
            StageShape("Scan parquet", 14, 6200, input_bytes=120 * MB, shuffle_write=38 * MB),
            StageShape(
                "SortMergeJoin",
                16,
                9500,
                shuffle_read=33 * MB,
                output_bytes=29 * MB,
                spill=260 * MB,
                skew=3.5,
            ),
        ),
    ),
    "train_model": QueryShape(
        "model = LinearRegression(maxIter=20).fit(features)",
        "treeAggregate at WeightedLeastSquares.scala:107",
        (
            StageShape("MapPartitions", 12, 14000, input_bytes=75 * MB, shuffle_write=MB),
            StageShape("TreeAggregate", 3, 900, shuffle_read=4 * MB),
        ),
        is_sql=False,
    ),
    "stream_batch": QueryShape(
        "orders.writeStream.toTable('sales.orders')",
        "start at cmd-9:4",
        (
            StageShape(
                "MicroBatchScan", 3, 900, input_bytes=2 * MB, output_bytes=MB, shuffle_write=4000
            ),
        ),
    ),
}
