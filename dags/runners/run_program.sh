# run_program.sh PARENT PATH [ARGUMENT]...: becomes one of StreamFlow's programs; what the runner `bash` starts from the process
# PARENT, which is Airflow's for the task.

program=$2
if [ ! -x "$program" ]; then
  echo "${program##*/}: there is no such program at $program"
  echo "Build it with 'cargo build --release --locked' in the repository, or let STREAMFLOW_BIN_DIR of the Airflow" \
    "workers name the folder that holds it; then clear this task."
  exit 78
fi

# With setpriv (util-linux) the kernel sends SIGTERM to the program also when Airflow's own process for the task is
# killed and cannot send it; where setpriv is not installed, the program runs without that.
tether=(setpriv --pdeathsig TERM)
"${tether[@]}" true 2>/dev/null || tether=()
if [ -z "$STREAMFLOW_PROGRAM_TETHERED" ] && [ ${#tether[@]} -gt 0 ]; then
  export STREAMFLOW_PROGRAM_TETHERED=1
  exec "${tether[@]}" bash "$0" "$@"
fi
unset STREAMFLOW_PROGRAM_TETHERED

# A parent that died before the kernel was asked sends nothing. PPID is of this shell's start, which comes after.
if [ "$PPID" != "$1" ]; then
  echo "${program##*/}: not started, since Airflow's process for the task has ended"
  exit 143
fi
shift 2

export RUST_LOG="${RUST_LOG:-info}"

# exec: the program takes the shell's place, so that nothing stands between it and Airflow's SIGTERM.
exec "$program" "$@"
