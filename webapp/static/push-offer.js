// The offer of notifications, after an answer that took long: shown where the browser can show
// them, and to nobody who has said no.
import { closest, first } from "./dom.js";

const NO = "push-offer";

function isWanted() {
  try {
    if (localStorage.getItem(NO)) return false;
  } catch {
    return false; // Storage is closed: it could never be dismissed.
  }
  return "PushManager" in window && "Notification" in window && Notification.permission !== "denied";
}

/** Show what the server offers, if it is of any use here. */
export function show() {
  const offer = first("#push-offer[data-offered]");
  if (offer) offer.hidden = !isWanted();
}

document.addEventListener("click", (event) => {
  if (!closest(event, "[data-push-dismiss]")) return;
  first("#push-offer")?.setAttribute("hidden", "");
  try {
    localStorage.setItem(NO, "no");
  } catch {
    // Storage may be closed; it is gone from this page.
  }
});
