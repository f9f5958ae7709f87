# Completion of allin1 for bash.

_allin1()
{
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command=
    local models="auto student harmonix-all harmonix-fold0 harmonix-fold1 harmonix-fold2 harmonix-fold3
        harmonix-fold4 harmonix-fold5 harmonix-fold6 harmonix-fold7"
    [[ $COMP_CWORD -gt 1 ]] && command=${COMP_WORDS[1]}
    COMPREPLY=()

    case $prev in
    -o | --out-dir | --array-dir | --weights-dir | --stems-dir | --demix-dir | --spec-dir | --viz-dir |
        --sonif-dir | --html-dir)
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -d -- "$cur")
        return
        ;;
    -m | --model | --refine-model)
        mapfile -t COMPREPLY < <(compgen -W "$models" -f -- "$cur")
        return
        ;;
    --demix | --demix-model)
        mapfile -t COMPREPLY < <(compgen -W "htdemucs none" -f -- "$cur")
        return
        ;;
    --precision)
        mapfile -t COMPREPLY < <(compgen -W "auto fp32 bf16 mixed" -- "$cur")
        return
        ;;
    --viz-format)
        mapfile -t COMPREPLY < <(compgen -W "pdf svg png" -- "$cur")
        return
        ;;
    --html-audio)
        mapfile -t COMPREPLY < <(compgen -W "auto opus original link none" -- "$cur")
        return
        ;;
    --sonif-format)
        mapfile -t COMPREPLY < <(compgen -W "wav flac mp3 opus" -- "$cur")
        return
        ;;
    --spec-backend)
        mapfile -t COMPREPLY < <(compgen -W "auto reference fast" -- "$cur")
        return
        ;;
    --cpu-level)
        mapfile -t COMPREPLY < <(compgen -W "auto scalar neon avx2 avx512" -- "$cur")
        return
        ;;
    --format)
        # The last word of a list.
        local formats="json jams lab beats harmonix harmonix-beats audacity audacity-beats
            csv midi reaper sonic-visualiser rekordbox chapters webvtt podcast"
        mapfile -t COMPREPLY < <(compgen -P "${cur%"${cur##*,}"}" -W "$formats" -- "${cur##*,}")
        compopt -o nospace
        return
        ;;
    --color)
        mapfile -t COMPREPLY < <(compgen -W "auto always never" -- "$cur")
        return
        ;;
    --overwrite)
        mapfile -t COMPREPLY < <(compgen -W "all demix spec json" -f -- "$cur")
        return
        ;;
    --timings | --timings-vs | --output | --timings-json | --timings-trace | --timings-viz | --from | --ca-file)
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        return
        ;;
    --min-bpm | --max-bpm | --tempo-hint | --beats-per-bar | --transition-lambda | --unknown | --refine)
        return
        ;;
    --require)
        mapfile -t COMPREPLY < <(compgen -W "spectrogram= demix= network=fp32 model= threads= cpu=" -- "$cur")
        return
        ;;
    --spec-guard-mean | --spec-guard-max | --precision-check-mean)
        return
        ;;
    --demix-shifts | --demix-seed | --threads | --width | --runs | --vs | --expect | --beats-from | --seed | --stems-pattern | -d | --device)
        return
        ;;
    esac

    case $command in
    models)
        if [[ $cur == -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W "--weights-dir --from --ca-file -q --quiet
                -v --verbose -h --help" -- "$cur")
        elif [[ $COMP_CWORD -eq 2 ]]; then
            mapfile -t COMPREPLY < <(compgen -W "list show fetch verify path" -- "$cur")
        else
            mapfile -t COMPREPLY < <(compgen -W "$models htdemucs" -- "$cur")
        fi
        return
        ;;
    eval)
        if [[ $cur == -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W "--json --beats-from --seed -q --quiet -h --help" -- "$cur")
        else
            compopt -o filenames
            mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        fi
        return
        ;;
    convert)
        if [[ $cur == -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W "--format -o --out-dir --stdout -q --quiet -h --help" -- "$cur")
        else
            compopt -o filenames
            mapfile -t COMPREPLY < <(compgen -f -X '!*.json' -- "$cur"; compgen -d -- "$cur")
        fi
        return
        ;;
    timings)
        if [[ $cur == -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W "--expect --format -f -o --output -h --help" -- "$cur")
        elif [[ $COMP_CWORD -eq 2 ]]; then
            mapfile -t COMPREPLY < <(compgen -W "show compare" -- "$cur")
        else
            compopt -o filenames
            mapfile -t COMPREPLY < <(compgen -f -X '!*.jsonl' -- "$cur"; compgen -d -- "$cur")
        fi
        return
        ;;
    show)
        if [[ $cur == -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W "--color --width -h --help" -- "$cur")
        else
            compopt -o filenames
            mapfile -t COMPREPLY < <(compgen -f -X '!*.json' -- "$cur"; compgen -d -- "$cur")
        fi
        return
        ;;
    esac

    if [[ $cur == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "-o --out-dir --json --format -a --activ -e --embed --array-dir
            --overwrite -m --model --demix --demix-model --refine --refine-model --weights-dir --min-bpm --max-bpm
            --tempo-hint --beats-per-bar --transition-lambda --unknown --stems-dir --stems-pattern
            --demix-shifts --demix-seed --precision --quantise-stems --spec-backend
            -k --keep-byproducts --demix-dir --spec-dir --threads --cpu-level --timings
            --timings-summary --timings-json --timings-trace --timings-viz
            --require --spec-check --spec-guard --spec-guard-mean --spec-guard-max
            --precision-check --precision-check-mean
            -v --visualize --viz-dir --viz-format -s --sonify --sonif-dir --sonif-format
            --html --html-dir --html-audio
            -q --quiet --verbose -h --help --version -d --device --no-multiprocess" -- "$cur")
        if [[ $command == bench ]]; then
            mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -W "--runs --vs --expect --output
                --timings-vs" -- "$cur")
        fi
    else
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        if [[ $COMP_CWORD -eq 1 ]]; then
            mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -W "models show convert timings bench eval" -- "$cur")
        fi
    fi
}

complete -F _allin1 allin1
