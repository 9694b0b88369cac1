fn main() -> std::process::ExitCode {
    streamflow::job::control_center::main()
}
