# shellcheck shell=bash
# Power mode and clocks of a Jetson: looked up, kept, set and put back; sourced by setup.sh.
#
#   check_power_mode           whether the board has the mode that is asked for
#   put_back_left              what a killed run has left behind
#   set_power                  keeps what is, sets $power_mode if any, fixes the clocks
#   restore_power              back to what was kept; nothing where nothing is kept
#
# They read $root (the board's files are below it), $power_mode and $state, the folder in which is
# kept what to put back; `edgesr bench --sweep` uses the same.
# shellcheck disable=SC2154  # these three are setup.sh's

old_mode_id="" is_kept=0

current_mode_id() { sudo nvpmodel -q | grep -E '^[0-9]+$' | tail -n 1; }

# Print the id that this board's own table gives to a mode: 15w, MODE_15W and 15W are the same.
mode_id() {
    local wanted number name
    wanted=$(tr '[:upper:]_' '[:lower:]-' <<<"$1")
    while read -r number name; do
        name=$(tr '[:upper:]_' '[:lower:]-' <<<"$name")
        if [ "${name#mode-}" = "${wanted#mode-}" ]; then
            echo "$number"
            return
        fi
    done < <(sed -n 's/^ *< *POWER_MODEL *ID=\([0-9]*\) *NAME=\([^ >]*\) *>.*/\1 \2/p' \
        "$root/etc/nvpmodel.conf")
    return 1
}

# A name that is mistyped is said before anything is installed.
check_power_mode() {
    [ -z "$power_mode" ] || mode_id "$power_mode" >/dev/null ||
        fail "this board has no power mode '$power_mode'" "grep POWER_MODEL /etc/nvpmodel.conf"
}

# Print the GPU clock in Hz that this board's own table gives to a mode; nothing where it has no cap.
mode_gpu_hz() {
    awk -v id="$1" '/^ *< *POWER_MODEL / { inside = ($0 ~ " ID=" id " ") }
        inside && $1 == "GPU" && $2 == "MAX_FREQ" && $3 > 0 { print $3; exit }' "$root/etc/nvpmodel.conf"
}

# Print the clock in Hz that the GPU may reach.
gpu_limit_hz() {
    local file
    for file in "$root"/sys/class/devfreq/*gpu*/max_freq "$root"/sys/class/devfreq/*ga10b*/max_freq; do
        if [ -r "$file" ]; then
            cat "$file"
            return
        fi
    done
}

# Whether the GPU may clock higher than its mode says, by more than a step of its driver.
is_above_mode() {
    local allowed limit
    allowed=$(mode_gpu_hz "$1") limit=$(gpu_limit_hz)
    [ -n "$allowed" ] && [ -n "$limit" ] && [ $((limit * 20)) -gt $((allowed * 21)) ]
}

# Put back what a killed run, of this or of `edgesr bench --sweep`, has left behind. What one that is
# under way has kept is not left behind: each holds a lock until it has put all back.
put_back_left() {
    local lock
    sudo mkdir -p "$state"
    sudo touch "$state/lock"
    exec {lock}<"$state/lock"
    flock -n "$lock" ||
        fail "edgesr bench --sweep, or another run of this, is under way" "wait for its end"
    [ -e "$state/mode" ] || return 0
    say "putting back what a killed run left: power mode $(cat "$state/mode")"
    old_mode_id=$(cat "$state/mode") is_kept=1
    restore_power
    [ "$is_kept" -eq 0 ] || exit 1
    old_mode_id=""
}

# Write down what is to be put back, the mode last: without it nothing counts.
keep() {
    sudo jetson_clocks --store "$state/clocks.conf"
    current_mode_id | sudo tee "$state/mode" >/dev/null
    is_kept=1
}

set_power() {
    local id
    keep
    if [ -n "$power_mode" ]; then
        id=$(mode_id "$power_mode")
        old_mode_id=$(current_mode_id)
        if [ "$id" != "$old_mode_id" ] || is_above_mode "$id"; then
            say "power mode $old_mode_id -> $id ($power_mode)"
            # A mode with other cores asks for a reboot; the answer here is no.
            echo no | sudo nvpmodel -m "$id" || true
            if [ "$(current_mode_id)" != "$id" ]; then
                fail "the board did not take power mode $power_mode; it may need a reboot for it" \
                    "sudo nvpmodel -m $id, answer YES, and run this again after the reboot"
            fi
        fi
        if is_above_mode "$id"; then
            fail "the GPU may reach $(gpu_limit_hz) Hz; power mode $power_mode allows $(mode_gpu_hz "$id")" \
                "reboot, and run this again"
        fi
    elif id=$(current_mode_id) && is_above_mode "$id"; then
        say "warning: the GPU may reach $(gpu_limit_hz) Hz; its power mode allows $(mode_gpu_hz "$id")"
    fi
    sudo jetson_clocks
    say "clocks fixed; $(sudo nvpmodel -q | tr '\n' ' ')"
}

restore_power() {
    local failed=0
    [ "$is_kept" -eq 1 ] || return 0
    # Before the mode: locked minimum clocks may be above what the old mode allows.
    sudo jetson_clocks --restore "$state/clocks.conf" || failed=1
    if [ -n "$old_mode_id" ] && [ "$(current_mode_id)" != "$old_mode_id" ]; then
        echo no | sudo nvpmodel -m "$old_mode_id" || true
        [ "$(current_mode_id)" = "$old_mode_id" ] || failed=1
    fi
    if [ $failed -ne 0 ]; then
        printf 'error: power mode or clocks could not be put back\n  try: %s\n' \
            "sudo nvpmodel -m ${old_mode_id:-ID}; reboot"
    else
        sudo rm -f "$state/mode" "$state/clocks.conf"
        is_kept=0
        say "power mode and clocks are as they were"
    fi
}
