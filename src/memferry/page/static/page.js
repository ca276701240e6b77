// What every screen shares: the language of the reader, keys, and what is live.
import { watchCopies } from "./copy.js";
import { listenForKeys } from "./keys.js";
import { watchLive } from "./live.js";
import { localise } from "./localise.js";
import { watchSearch, watchSuggestions } from "./search.js";
import { watchSelection } from "./selection.js";
import { redeemLink } from "./sign_in.js";

localise(document);
listenForKeys();
watchLive();
watchSearch();
watchSuggestions();
watchSelection();
watchCopies();
redeemLink();
