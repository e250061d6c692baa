// Passkeys in the browser: WebAuthn's JSON forms, also where a browser has no words for them yet.

export function supported() {
  return window.isSecureContext && "credentials" in navigator && "PublicKeyCredential" in window;
}

export async function create(options) {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON
    ? PublicKeyCredential.parseCreationOptionsFromJSON(options)
    : {
        ...options,
        challenge: bytes(options.challenge),
        user: { ...options.user, id: bytes(options.user.id) },
        excludeCredentials: described(options.excludeCredentials),
      };
  return json(await navigator.credentials.create({ publicKey }));
}

export async function get(options) {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON
    ? PublicKeyCredential.parseRequestOptionsFromJSON(options)
    : { ...options, challenge: bytes(options.challenge), allowCredentials: described(options.allowCredentials) };
  return json(await navigator.credentials.get({ publicKey }));
}

function described(listed) {
  return (listed || []).map((one) => ({ ...one, id: bytes(one.id) }));
}

function json(credential) {
  if (typeof credential.toJSON === "function") return credential.toJSON();
  const told = credential.response;
  const response = { clientDataJSON: text(told.clientDataJSON) };
  for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (told[name]) response[name] = text(told[name]);
  }
  if (told.getTransports) response.transports = told.getTransports();
  return { id: credential.id, rawId: text(credential.rawId), type: credential.type, clientExtensionResults: {}, response };
}

function bytes(words) {
  return Uint8Array.from(atob(words.replace(/-/g, "+").replace(/_/g, "/")), (char) => char.charCodeAt(0));
}

function text(buffer) {
  return btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}
