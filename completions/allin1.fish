# Completion of allin1 for fish.

set -l models harmonix-all harmonix-fold(seq 0 7)
set -l formats json jams lab beats harmonix harmonix-beats audacity audacity-beats \
    csv midi reaper sonic-visualiser rekordbox chapters webvtt podcast
set -l analysing "not __fish_seen_subcommand_from models show convert"

complete -c allin1 -n __fish_is_first_token -a models -d "List, fetch, verify and find weights"
complete -c allin1 -n __fish_is_first_token -a show -d "Show the structure of songs"
complete -c allin1 -n __fish_is_first_token -a convert -d "Results in the formats of other programs"

complete -c allin1 -n $analysing -s o -l out-dir -x -a "(__fish_complete_directories)" -d "Where the results go"
complete -c allin1 -n $analysing -l format -x -a "(__fish_append , $formats)" -d "What is written"
complete -c allin1 -n $analysing -l json -d "Print the results on standard output"
complete -c allin1 -n $analysing -s a -l activ -d "Also save the frame-wise probabilities"
complete -c allin1 -n $analysing -s e -l embed -d "Also save the embeddings"
complete -c allin1 -n $analysing -l array-dir -x -a "(__fish_complete_directories)" -d "Where those two go"
complete -c allin1 -n $analysing -l overwrite -a "all demix spec json" -d "Do again what is done"
complete -c allin1 -n $analysing -s m -l model -r -a "$models" -d "Network"
complete -c allin1 -n $analysing -l demix-model -r -a htdemucs -d "Demixer"
complete -c allin1 -n $analysing -l stems-dir -x -a "(__fish_complete_directories)" -d "Use ready stems"
complete -c allin1 -n $analysing -l stems-pattern -x -d "Names of the stems"
complete -c allin1 -n $analysing -l demix-shifts -x -d "Randomly shifted separations to average"
complete -c allin1 -n $analysing -l demix-seed -x -d "Seed of the shifts"
complete -c allin1 -n $analysing -l precision -x -a "auto fp32 bf16 mixed" -d "Arithmetic of the demixer"
complete -c allin1 -n $analysing -l quantise-stems -d "Round the stems to 16 bits"
complete -c allin1 -n $analysing -l spec-backend -x -a "auto reference fast" -d "How the spectrogram is computed"
complete -c allin1 -n $analysing -s k -l keep-byproducts -d "Keep stems and spectrograms"
complete -c allin1 -n $analysing -l demix-dir -x -a "(__fish_complete_directories)" -d "Folder of the stems"
complete -c allin1 -n $analysing -l spec-dir -x -a "(__fish_complete_directories)" -d "Folder of the spectrograms"
complete -c allin1 -n $analysing -l threads -x -d "Number of threads"
complete -c allin1 -n $analysing -l cpu-level -x -a "auto scalar neon avx2 avx512" -d "Instructions to use"
complete -c allin1 -n $analysing -l timings -r -d "Append the time of each stage"
complete -c allin1 -n $analysing -l timings-summary -d "Show a table of the stages"
complete -c allin1 -n $analysing -l timings-json -r -d "Write the timings as one document"
complete -c allin1 -n $analysing -l timings-trace -r -d "Write a trace for Perfetto or speedscope"
complete -c allin1 -n $analysing -l version -d "Show the version"
complete -c allin1 -n $analysing -s d -l device -x -d "For compatibility, without effect"
complete -c allin1 -n $analysing -l no-multiprocess -d "For compatibility, without effect"

complete -c allin1 -n "not __fish_seen_subcommand_from show convert" -l weights-dir -x -a "(__fish_complete_directories)" -d "Look for weights here first"
complete -c allin1 -n "not __fish_seen_subcommand_from show" -s q -l quiet -d "Only errors"
complete -c allin1 -n "not __fish_seen_subcommand_from show convert" -s v -l verbose -d "Also what is really used"
complete -c allin1 -s h -l help -d "Show help"

complete -c allin1 -n "__fish_seen_subcommand_from models" -f -a "list fetch verify path"
complete -c allin1 -n "__fish_seen_subcommand_from models" -f -a "$models htdemucs"
complete -c allin1 -n "__fish_seen_subcommand_from models" -l from -r -d "Fetch from this file, folder or address"
complete -c allin1 -n "__fish_seen_subcommand_from models" -l ca-file -r -d "Trust these certificates"

complete -c allin1 -n "__fish_seen_subcommand_from show" -l color -x -a "auto always never" -d "Colours"
complete -c allin1 -n "__fish_seen_subcommand_from show" -l width -x -d "Columns"

complete -c allin1 -n "__fish_seen_subcommand_from convert" -l format -x -a "(__fish_append , $formats)" -d "Formats to write"
complete -c allin1 -n "__fish_seen_subcommand_from convert" -s o -l out-dir -x -a "(__fish_complete_directories)" -d "Where the files go"
complete -c allin1 -n "__fish_seen_subcommand_from convert" -l stdout -d "Print instead"
