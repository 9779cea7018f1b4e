// api.mjs: the few REST calls that the demo makes.
const url = process.env.SPOOLED_URL;
const headers = { Authorization: `Bearer ${process.env.SPOOLED_API_KEY}`, 'Content-Type': 'application/json' };

// call answers {status, body}; what the server refuses is an answer, only a broken connection throws.
export async function call(method, path, body) {
  const reply = await fetch(`${url}/api/v1${path}`, { method, headers, body: body && JSON.stringify(body) });
  const text = await reply.text();
  return { status: reply.status, body: text ? JSON.parse(text) : null };
}

// must is call for what has to work.
export async function must(method, path, body) {
  const reply = await call(method, path, body);
  if (reply.status >= 300) throw new Error(`${method} ${path}: ${reply.status} ${JSON.stringify(reply.body)}`);
  return reply.body;
}
