# run_program.sh PATH [ARGUMENT]...: becomes one of StreamFlow's programs; what the runner `bash` starts.

program=$1
if [ ! -x "$program" ]; then
  echo "${program##*/}: there is no such program at $program"
  echo "Build it with 'cargo build --release --locked' in the repository, or let STREAMFLOW_BIN_DIR of the Airflow" \
    "workers name the folder that holds it; then clear this task."
  exit 78
fi
shift

export RUST_LOG="${RUST_LOG:-info}"

# With setpriv (util-linux) the kernel sends SIGTERM to the program also when Airflow's own process for the task is
# killed and cannot send it; where setpriv is not installed, the program runs without that.
tether=(setpriv --pdeathsig TERM)
"${tether[@]}" true 2>/dev/null || tether=()

# exec: the program takes the shell's place, so that nothing stands between it and Airflow's SIGTERM.
exec "${tether[@]}" "$program" "$@"
