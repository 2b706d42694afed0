// What a colleague hears across the dock: two notes up, two alike, two down.
let audio;
const TONES = { good: ["sine", 880, 1318], wait: ["triangle", 587, 587], bad: ["sawtooth", 196, 147] };

export function tone(kind) {
  const [type, ...pitches] = TONES[kind] ?? [];
  // Browsers are silent until somebody has touched the page; what was said before that is read.
  if (navigator.userActivation?.hasBeenActive === false) return;
  audio ??= new AudioContext();
  if (audio.state === "suspended") audio.resume();
  pitches.forEach((pitch, index) => {
    const start = audio.currentTime + index * 0.14;
    const oscillator = new OscillatorNode(audio, { type, frequency: pitch });
    const volume = new GainNode(audio, { gain: 0.15 });
    volume.gain.setTargetAtTime(0, start + 0.09, 0.015);
    oscillator.connect(volume).connect(audio.destination);
    oscillator.start(start);
    oscillator.stop(start + 0.16);
  });
}
