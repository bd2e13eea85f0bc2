"""The command line, called as a user would and caught whole."""

from companion.__main__ import main


def call(capsys, *argv):
    """Exit code, standard output and standard error of `companion ARGV...`."""
    try:
        code = main(argv)
    except SystemExit as stop:
        code = stop.code
    done = capsys.readouterr()
    return code, done.out, done.err
