// Records a voice note and makes a WAV file of it, which can carry in words what is said.

const RATE = 16_000;
const HEADER_BYTES = 44;

/** @typedef {{ stop: () => Promise<File>, cancel: () => void }} Recording */

/**
 * Begin to record. Rejects when there is no microphone, or it may not be used.
 * @returns {Promise<Recording>}
 */
export async function record() {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  const recorder = new MediaRecorder(stream);
  /** @type {Blob[]} */
  const parts = [];
  recorder.addEventListener("dataavailable", (event) => parts.push(event.data));
  recorder.start();
  const end = () => {
    if (recorder.state !== "inactive") recorder.stop();
    for (const track of stream.getTracks()) track.stop();
  };
  const stop = async () => {
    const stopped = new Promise((resolve) => recorder.addEventListener("stop", resolve));
    end();
    await stopped;
    return wav(await samples(new Blob(parts)));
  };
  return { stop, cancel: end };
}

/**
 * Return the sound as numbers from -1 to 1, one channel.
 * @param {Blob} recorded
 */
async function samples(recorded) {
  const context = new OfflineAudioContext(1, 1, RATE);
  const decoded = await context.decodeAudioData(await recorded.arrayBuffer());
  const mixer = new OfflineAudioContext(1, Math.max(1, Math.ceil(decoded.duration * RATE)), RATE);
  const player = mixer.createBufferSource();
  player.buffer = decoded;
  player.connect(mixer.destination);
  player.start();
  return (await mixer.startRendering()).getChannelData(0);
}

/** @param {Float32Array} sound */
function wav(sound) {
  const view = new DataView(new ArrayBuffer(HEADER_BYTES + 2 * sound.length));
  /**
   * @param {number} place
   * @param {string} letters
   */
  const name = (place, letters) => [...letters].forEach((letter, at) => view.setUint8(place + at, letter.charCodeAt(0)));
  name(0, "RIFF");
  view.setUint32(4, view.byteLength - 8, true);
  name(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, RATE, true);
  view.setUint32(28, 2 * RATE, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  name(36, "data");
  view.setUint32(40, 2 * sound.length, true);
  sound.forEach((value, at) => view.setInt16(HEADER_BYTES + 2 * at, Math.max(-1, Math.min(1, value)) * 32_767, true));
  return new File([view], "voice.wav", { type: "audio/wav" });
}
