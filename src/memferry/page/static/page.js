// What every screen shares: the language of the reader, keys, and what is live.
import { watchBuilder } from "./builder.js";
import { watchCopies, watchTextCopies } from "./copy.js";
import { listenForKeys } from "./keys.js";
import { watchLive } from "./live.js";
import { localise } from "./localise.js";
import { watchRates } from "./rates.js";
import { watchSearch, watchSuggestions } from "./search.js";
import { watchSelection } from "./selection.js";
import { redeemLink } from "./sign_in.js";
import { watchUploads } from "./upload.js";

localise(document);
listenForKeys();
watchLive();
watchSearch();
watchSuggestions();
watchSelection();
watchCopies();
watchTextCopies();
watchBuilder();
watchRates();
watchUploads();
redeemLink();
