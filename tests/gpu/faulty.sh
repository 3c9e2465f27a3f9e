#!/usr/bin/env bash
# Whether the checked GPU (checks.h) tells the fault of each kernel in faulty.cu, and nothing of those that are sound.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$here/../../target/faulty-gpu
"$here/build.sh" "$folder" checked "$here/faulty.cu"
c++ -std=c++17 -I "$here" "$here/faulty.cc" -L "$folder" -lcuda -o "$folder/faulty"
mapfile -t kernels < <(sed -n 's/^KERNEL(\(.*\)) {.*/\1/p' "$here/faulty.cu")
# Its status is 1 where there were faults.
LD_LIBRARY_PATH=$folder "$folder/faulty" "${kernels[@]}" 2> "$folder/told" || [[ $? == 1 ]]
# Of each kernel the first problem, without threads, lines and memory.
sed -n -E 's/^checked GPU: (\w+), block[^:]*: ([^:]*).*/\1: \2/p' "$folder/told" | awk '!told[$1]++' > "$folder/first"
diff "$folder/first" - << END
reads_before_all_have_written: reads what another thread writes
writes_before_all_have_read: writes what another thread reads or writes
takes_an_exchange_for_a_barrier: reads what another thread writes
two_blocks_write: writes what another thread reads or writes
a_block_reads_of_another: reads what another thread writes
a_block_writes_what_others_have_read: writes what another thread reads or writes
reads_one_further: reaches what is not its own
writes_one_before: reaches what is not its own
reads_what_nobody_wrote: reads what was not written
reads_what_the_last_block_left: reads what was not written
reads_between_two_values: reaches what is not aligned
reads_of_the_host: reaches no memory of the device
threads_leave_before_a_barrier: meet at faulty.cu
threads_meet_at_two_barriers: meet at faulty.cu
lanes_leave_before_an_exchange: meet at faulty.cu
lanes_leave_before_a_product: meet at faulty.cu
lanes_meet_at_two_products: meet at faulty.cu
END
echo "tests/gpu/faulty.sh: of ${#kernels[@]} kernels the faults of $(wc -l < "$folder/first") are told"
