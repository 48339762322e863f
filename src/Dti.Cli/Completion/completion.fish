# Completion of dti for fish: put this file into ~/.config/fish/completions/dti.fish.
function __dti_complete
    set -l word (commandline -ct)
    set -l found ((commandline -po)[1] "[suggest:"(commandline -C)"]" (commandline -p) 2>/dev/null)
    # options are offered once a hyphen is typed, so that files and subcommands are not lost among them
    if string match -q -- '-*' $word
        string match -- '-*' $found
    else
        string match -rv -- '^[-/]' $found
    end
end
complete -c dti -a '(__dti_complete)'
