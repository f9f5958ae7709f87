/* Playing, looping, and the metronome. */

const audio = document.getElementById('audio');

{
    const embedded = document.getElementById('sound').textContent;
    if (embedded.trim())
        audio.src = URL.createObjectURL(new Blob([decodeBytes(embedded)], {type: song.sound.type}));
    else if (song.sound.link)
        audio.src = song.sound.link;
    document.getElementById('sound').remove();
}

const player = {
    position: 0,  /* seconds; follows the audio where there is one */
    loop: null,   /* the section that is repeated, or null */
    canPlay: Boolean(audio.src),
};

function now() {
    return player.canPlay && audio.readyState > 0 ? audio.currentTime : player.position;
}

function seek(time) {
    player.position = Math.min(Math.max(time, 0), song.duration);
    if (player.loop && (player.position < player.loop.start || player.position >= player.loop.end))
        setLoop(null);
    if (player.canPlay) audio.currentTime = player.position;
    metronome.forget();
    changed();
}

function togglePlay() {
    if (!player.canPlay) return;
    if (audio.paused) audio.play().catch(error => notify(`This browser cannot play the sound: ${error.message}`));
    else audio.pause();
}

/* The beat before or after, seen from a time a little later than a beat while it plays. */
function stepBeat(direction) {
    const time = now();
    if (!song.beats.length) return seek(time + direction);
    if (direction > 0) {
        const next = countUpTo(song.beats, time + 0.02);
        return seek(next < song.beats.length ? song.beats[next] : song.duration);
    }
    const before = countUpTo(song.beats, time - (audio.paused ? 0.02 : 0.25)) - 1;
    seek(before >= 0 ? song.beats[before] : 0);
}

function stepSection(direction) {
    const time = now();
    if (direction > 0) {
        const next = countUpTo(starts, time + 0.02);
        return seek(next < starts.length ? starts[next] : song.duration);
    }
    const before = countUpTo(starts, time - (audio.paused ? 0.02 : 1)) - 1;
    seek(before >= 0 ? starts[before] : 0);
}

function setLoop(index) {
    player.loop = index === null || index < 0 ? null : {...song.segments[index], index};
    stillIsOld = true;
    changed();
}

function keepLoop() {
    if (player.loop && !audio.paused &&
        (audio.currentTime >= player.loop.end - 0.01 || audio.currentTime < player.loop.start - 0.05)) {
        audio.currentTime = player.loop.start;
        metronome.forget();
    }
}

/* Clicks are scheduled a little ahead on WebAudio's own clock, as timers are late. */
const metronome = {
    on: false,
    context: null,
    next: -1,      /* index of the next beat to schedule; -1: not known */
    planned: [],   /* sounds that are still to come */
    log: [],       /* [beat's time, distance to it when it was planned]: for tests */

    toggle() {
        this.on = !this.on;
        if (this.on && !this.context) this.context = new AudioContext();
        if (this.on) this.context.resume();
        this.forget();
        changed();
    },
    forget() {
        for (const sound of this.planned) {
            try { sound.stop(); } catch (error) { /* it had not begun */ }
        }
        this.planned = [];
        this.next = -1;
    },
    click(when, strong) {
        const tone = this.context.createOscillator(), level = this.context.createGain();
        tone.frequency.value = strong ? 3000 : 1500;
        level.gain.setValueAtTime(0.5, when);
        level.gain.exponentialRampToValueAtTime(0.001, when + 0.06);
        tone.connect(level).connect(this.context.destination);
        tone.start(when);
        tone.stop(when + 0.07);
        tone.onended = () => { this.planned = this.planned.filter(other => other !== tone); };
        this.planned.push(tone);
    },
    plan() {
        if (!this.on || audio.paused || audio.seeking || !player.canPlay) return;
        const time = audio.currentTime;
        const limit = Math.min(time + 0.15, player.loop ? player.loop.end - 0.01 : Infinity);
        if (this.next < 0) this.next = countUpTo(song.beats, time - 0.01);
        for (; this.next < song.beats.length && song.beats[this.next] < limit; this.next++) {
            const ahead = (song.beats[this.next] - time) / audio.playbackRate;
            if (ahead < 0) continue;
            this.click(this.context.currentTime + ahead, song.positions[this.next] === 1);
            this.log.push([song.beats[this.next], ahead]);
        }
    },
};

setInterval(() => { keepLoop(); metronome.plan(); }, 25);
