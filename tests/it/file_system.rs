//! A state folder on a file system that lacks locks or shared memory, as NFS may. A small library, loaded before the program,
//! answers as the kernel does there.
#![cfg(target_os = "linux")]

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::program::{finish, snapshot};
use crate::support::services::{Services, full_accounts};

/// `flock` on NFS without its lock service.
const NO_FLOCK: &str = "int flock(int file, int operation) { errno = ENOLCK; return -1; }";

/// A file system on which files cannot be mapped.
const NO_MMAP: &str = "
static void *map(void *at, size_t size, int how, int flags, int file, off_t from) {
    if (file >= 0 && (flags & MAP_SHARED)) { errno = ENODEV; return MAP_FAILED; }
    return (void *)syscall(SYS_mmap, at, size, how, flags, file, from);
}
void *mmap(void *at, size_t size, int how, int flags, int file, off_t from) { return map(at, size, how, flags, file, from); }
void *mmap64(void *at, size_t size, int how, int flags, int file, off_t from) { return map(at, size, how, flags, file, from); }
";

/// `fcntl` locks on NFS that keeps only its `flock` locks local.
const NO_FCNTL: &str = "
static int control(int file, int command, void *argument) {
    if (command == F_SETLK || command == F_SETLKW || command == F_GETLK) { errno = ENOLCK; return -1; }
    return syscall(SYS_fcntl, file, command, argument);
}
int fcntl(int file, int command, ...) {
    va_list arguments; va_start(arguments, command); void *argument = va_arg(arguments, void *); va_end(arguments);
    return control(file, command, argument);
}
int fcntl64(int file, int command, ...) {
    va_list arguments; va_start(arguments, command); void *argument = va_arg(arguments, void *); va_end(arguments);
    return control(file, command, argument);
}
";

/// Compiles a library that replaces functions of the system. A C compiler is there, because SQLite was compiled.
fn library(folder: &Path, functions: &str) -> PathBuf {
    let headers = ["errno.h", "fcntl.h", "stdarg.h", "sys/file.h", "sys/mman.h", "sys/syscall.h", "unistd.h"];
    let headers: String = headers.iter().map(|header| format!("#include <{header}>\n")).collect();
    let (source, library) = (folder.join("replaced.c"), folder.join("replaced.so"));
    std::fs::write(&source, format!("#define _GNU_SOURCE\n{headers}{functions}\n")).unwrap();
    let mut compiler = Command::new("cc");
    let compiled = compiler.args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&source).output().unwrap();
    assert!(compiled.status.success(), "{compiled:?}");
    library
}

#[test]
fn a_file_system_without_locks_or_shared_memory_is_named_before_anything_is_sent() {
    for (functions, words) in
        [(NO_FLOCK, "has no locks"), (NO_MMAP, "lacks locks or shared memory (mmap)"), (NO_FCNTL, "lacks locks")]
    {
        let services = Services::new(&full_accounts(1));
        let folder = tempfile::tempdir().unwrap();
        let library = library(folder.path(), functions);
        let with_fault = |arguments: &[&str]| finish(services.program().args(arguments).env("LD_PRELOAD", &library));

        let ran = with_fault(&["doctor"]);
        let (_, machine) = ran.out.split_once("This machine").unwrap_or_else(|| panic!("{ran:#?}"));
        assert!(machine.contains("fail  state_folder"), "{words}: {ran:#?}");
        assert!(machine.contains(words) && machine.contains("local disk"), "{words}: {ran:#?}");
        assert!(!machine.contains("usage-signals-doctor"), "its own folder is of no interest: {ran:#?}");
        assert_eq!(snapshot(services.home.path()).len(), 0, "{words}: doctor left something behind");

        let asked = services.sandbox.requests().len();
        let ran = with_fault(&["scan"]).expect(2);
        assert!(ran.err.contains(words) && ran.err.contains("local disk"), "{words}: {ran:#?}");
        assert_eq!(services.sandbox.requests().len(), asked, "{words}: nothing was sent");

        services.scan().expect(0);
        assert_eq!(services.count("zoho insert Tasks"), 1, "{words}");
        let ran = with_fault(&["doctor"]);
        assert!(ran.out.contains("fail  state_folder"), "{words}: {ran:#?}");
    }
}

#[test]
fn doctor_tries_a_lock_and_a_ledger_beside_a_run_that_is_under_way() {
    let services = Services::new(&full_accounts(1));
    services.scan().expect(0);
    let before = snapshot(services.home.path());
    let lock = std::fs::File::open(services.home.path().join(".local/state/usage-signals/lock")).unwrap();
    lock.try_lock().unwrap();
    let ran = finish(services.program().arg("doctor"));
    assert!(ran.out.contains("ok    state_folder"), "{ran:#?}");
    assert_eq!(snapshot(services.home.path()), before);
}
