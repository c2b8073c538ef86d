// The microphone: one recording at a time, and how loud it is meanwhile.

// The first that a browser can make: Chromium and Firefox, Safari, older Firefox.
const TYPES = ["audio/webm;codecs=opus", "audio/mp4", "audio/ogg;codecs=opus"];
// Speech is understood as well as with more, and ten minutes are not three megabytes.
const BITS_PER_SECOND = 32_000;
const SLICE_MS = 1_000;
const WANTED = { audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true } };
// From where on a voice is as loud as can be shown.
const LOUDEST = 0.25;

const type = () => TYPES.find((one) => MediaRecorder.isTypeSupported(one));

/** Whether this browser can record here: only on pages that came over HTTPS, or from this machine. */
export const canRecord = () =>
  Boolean(window.isSecureContext && "mediaDevices" in navigator && "MediaRecorder" in window && type());

/**
 * Something that is being recorded.
 * @typedef {object} Recording
 * @property {() => number} level how loud it is now, from 0 to 1
 * @property {() => number} seconds how long it is by now
 * @property {() => Promise<Blob>} stop end it and return it
 * @property {() => void} discard end it and forget it
 */

/**
 * Ask for the microphone, and record once it is given. Rejects as getUserMedia does.
 * @param {() => void} onEnd told when the microphone goes away
 * @returns {Promise<Recording>}
 */
export async function record(onEnd) {
  const stream = await navigator.mediaDevices.getUserMedia(WANTED);
  const recorder = new MediaRecorder(stream, { mimeType: type(), audioBitsPerSecond: BITS_PER_SECOND });
  const began = performance.now();
  const meter = listen(stream);
  /** @type {Blob[]} */
  const parts = [];
  recorder.addEventListener("dataavailable", (event) => parts.push(event.data));
  const ended = new Promise((resolve) => recorder.addEventListener("stop", resolve, { once: true }));
  const end = () => {
    if (recorder.state !== "inactive") recorder.stop();
    for (const track of stream.getTracks()) track.stop();
    meter.close();
  };
  stream.getAudioTracks()[0]?.addEventListener("ended", onEnd);
  recorder.start(SLICE_MS);
  return {
    level: meter.level,
    seconds: () => (performance.now() - began) / 1000,
    discard: end,
    async stop() {
      end();
      await ended;
      return new Blob(parts, { type: recorder.mimeType });
    },
  };
}

/** @param {MediaStream} stream */
function listen(stream) {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  return {
    close: () => void context.close(),
    level() {
      // A browser may wait for the end of a touch before it lets anything sound.
      if (context.state === "suspended") context.resume();
      analyser.getFloatTimeDomainData(samples);
      const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
      return Math.min(Math.sqrt(power) / LOUDEST, 1);
    },
  };
}
