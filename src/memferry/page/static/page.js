// What every screen shares: the language of the reader, keys, and what is live.
import { listenForKeys } from "./keys.js";
import { watchLive } from "./live.js";
import { localise } from "./localise.js";
import { redeemLink } from "./sign_in.js";

for (const element of document.querySelectorAll(".scripted")) element.hidden = false;
localise(document);
listenForKeys();
watchLive();
redeemLink();
