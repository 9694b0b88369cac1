fn main() -> std::process::ExitCode {
    ::streamflow::job::random_user_api::main()
}
