//! `init`: the commented example, as a file to start from.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::anyhow;

use crate::cli::{Common, Init as Arguments};
use crate::config::{EXAMPLE, FILE_NAME};
use crate::exit::{Exit, Fatal};

pub fn run(common: &Common, arguments: &Arguments) -> Result<Exit, Fatal> {
    let named = arguments.file.clone().or_else(|| common.config.clone());
    let file = named.unwrap_or_else(|| PathBuf::from(FILE_NAME));
    write(&file, arguments.force).map_err(|error| complaint(&file, &error))?;
    super::print(&next_steps(&file))?;
    Ok(Exit::Done)
}

/// Writes the file, readable for everybody, since it holds no secrets.
fn write(file: &Path, force: bool) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true);
    match force {
        true => options.create(true).truncate(true),
        false => options.create_new(true),
    };
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o644);
    options.open(file)?.write_all(EXAMPLE.as_bytes())
}

fn complaint(file: &Path, error: &std::io::Error) -> Fatal {
    let (shown, folder) = (file.display(), file.parent().unwrap_or(Path::new("")).display());
    let help = match error.kind() {
        ErrorKind::AlreadyExists => {
            let fatal = Fatal::usage(anyhow!("{shown} exists already"));
            return fatal.with_help("name another file, or overwrite it with --force");
        }
        ErrorKind::NotFound => format!("create the folder first: mkdir -p {folder}"),
        _ => "name a file in a folder that you can write to".to_owned(),
    };
    Fatal::usage(anyhow!("cannot write {shown}: {error}")).with_help(help)
}

fn next_steps(file: &Path) -> String {
    // This file is found without --config.
    let option = if file == Path::new(FILE_NAME) { String::new() } else { format!(" --config {}", file.display()) };
    format!(
        "Wrote {}: every key with its default and a sentence of explanation. You can leave out any key.\n\n\
         Next:\n  \
         usage-signals rules list{option}       shows the rules\n  \
         usage-signals rules check{option}      shows every mistake after a change\n  \
         usage-signals scan --sandbox{option}   scans a demo workspace, without any account\n  \
         usage-signals scan --dry-run{option}   shows what a scan would do; needs INTERCOM_ACCESS_TOKEN\n",
        file.display()
    )
}
