// compare.mjs: spooled.cron_next beside two other cron libraries.
//
//   node compare.mjs make COUNT SEED FILE     writes random cases: expression, zone, start
//   node compare.mjs judge CASES ANSWERS      compares what the database answered with the libraries; exit status 1: a
//                                             difference that no rule of docs/cron.md explains
//
// A difference is explained by a rule when it goes away with what the rule is about: the expression is written in another way
// that means the same here (and the database says so), or the times around a change of the clocks are left out.
import { readFileSync, writeFileSync } from 'node:fs';
import parser from 'cron-parser';
import { Cron } from 'croner';

const OCCURRENCES = 12;
const DAY = 86400;

const ZONES = ['UTC', 'Europe/Berlin', 'Europe/London', 'Europe/Lisbon', 'Europe/Chisinau', 'America/New_York', 'America/Chicago',
    'America/Denver', 'America/Los_Angeles', 'America/St_Johns', 'America/Halifax', 'America/Sao_Paulo', 'America/Santiago',
    'America/Havana', 'America/Asuncion', 'America/Nuuk', 'Africa/Cairo', 'Africa/Casablanca', 'Africa/Lagos', 'Asia/Kolkata',
    'Asia/Kathmandu', 'Asia/Tokyo', 'Asia/Shanghai', 'Asia/Beirut', 'Asia/Jerusalem', 'Asia/Tehran', 'Asia/Gaza',
    'Australia/Sydney', 'Australia/Adelaide', 'Australia/Lord_Howe', 'Australia/Eucla', 'Pacific/Auckland', 'Pacific/Chatham',
    'Pacific/Apia', 'Pacific/Norfolk', 'Pacific/Easter', 'Atlantic/Azores', 'Antarctica/Troll'];
const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const WEEKDAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

// --- random cases ---------------------------------------------------------------------------------------------------

let state = 1;
function random(below) {                        // xorshift32: the same cases from the same seed, everywhere
    state ^= state << 13; state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5; state >>>= 0;
    return state % below;
}
const pick = list => list[random(list.length)];

function item(min, max, names, wraps) {
    const a = min + random(max - min + 1);
    const b = a + random(max - a + 1);
    const step = 1 + random(Math.max(1, Math.floor((max - min) / 2)));
    const say = n => names && n - min < names.length && random(3) === 0 ? names[n - min] : String(n);
    switch (random(8)) {
        case 0: return `*/${step}`;
        case 1: return `${say(a)}-${say(b)}`;
        case 2: return `${say(a)}-${say(b)}/${step}`;
        case 3: return `${a}/${step}`;
        case 4: return wraps && a !== b ? `${say(b)}-${say(a)}` : say(a);
        default: return say(a);
    }
}

function field(min, max, names, wraps, stars) {
    if (random(10) < stars) return wraps !== undefined && random(8) === 0 ? '?' : '*';
    const items = [item(min, max, names, wraps)];
    while (random(4) === 0) items.push(item(min, max, names, wraps));
    return items.join(',');
}

function expression() {
    const fields = [field(0, 59, null, undefined, 3), field(0, 23, null, undefined, 4), field(1, 31, null, false, 6),
        field(1, 12, MONTHS, undefined, 7), field(0, 7, WEEKDAYS, true, 6)];
    if (random(3) === 0) fields.unshift(field(0, 59, null, undefined, 2));
    return fields.join(' ');
}

const formats = new Map();
function offset(zone, at) {                     // wall clock minus UTC, in seconds
    if (!formats.has(zone))
        formats.set(zone, new Intl.DateTimeFormat('en-US', { timeZone: zone, hourCycle: 'h23', year: 'numeric', month: 'numeric',
            day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' }));
    const p = Object.fromEntries(formats.get(zone).formatToParts(at * 1000).map(x => [x.type, Number(x.value)]));
    return Date.UTC(p.year, p.month - 1, p.day, p.hour, p.minute, p.second) / 1000 - at;
}

// Changes of a zone's clocks between two times: when, and by how much.
const FROM = Date.UTC(2025, 11, 1) / 1000;
const UNTIL = Date.UTC(2041, 0, 1) / 1000;
const changesOf = new Map();
function changes(zone) {
    if (changesOf.has(zone)) return changesOf.get(zone);
    const found = [];
    for (let at = FROM, before = offset(zone, at); at < UNTIL; at += DAY) {
        const after = offset(zone, at + DAY);
        if (after === before) continue;
        let low = at, high = at + DAY;
        while (high - low > 1) {
            const middle = Math.floor((low + high) / 2);
            if (offset(zone, middle) === before) low = middle; else high = middle;
        }
        found.push({ at: high, by: after - before });
        before = after;
    }
    changesOf.set(zone, found);
    return found;
}

function make(count, seed, file) {
    state = (seed >>> 0) || 1;
    const cases = [];
    for (let n = 0; n < count; n++) {
        const zone = pick(ZONES);
        const near = changes(zone).filter(change => change.at < Date.UTC(2029, 0, 1) / 1000);
        let after = Date.UTC(2026, 0, 1) / 1000 + random(2 * 365 * DAY);
        if (near.length > 0 && random(3) > 0) after = pick(near).at - random(2 * DAY);
        cases.push({ n, expression: expression(), zone, after });
    }
    // Each with the other ways to write it, which the database answers too.
    writeFileSync(file, JSON.stringify(cases.map(one => ({ ...one, forms: forms(one.expression) }))));
}

// --- other ways to write an expression ------------------------------------------------------------------------------

const fieldsOf = expression => expression.split(' ');
const weekday = word => { const n = WEEKDAYS.indexOf(word.toUpperCase()); return n < 0 ? Number(word) : n; };

// Rule 3: an open range ends on the last day of the week, and at the field's last value.
function closeRanges(expression) {
    const fields = fieldsOf(expression);
    const last = fields.length === 6 ? [59, 59, 23, 31, 12, 6] : [59, 23, 31, 12, 6];
    return fields.map((one, i) => one.split(',').map(item => {
        const open = /^(\d+)\/(\d+)$/.exec(item);
        return open ? `${open[1]}-${Math.max(open[1], last[i])}/${open[2]}` : item;
    }).join(',')).join(' ');
}

// Rules 2 and 4: a list of numbers for whatever the weekdays are, Sunday being 0.
function listWeekdays(expression) {
    const fields = fieldsOf(closeRanges(expression));
    const text = fields.pop();
    if (text === '*' || text === '?') return expression;
    const days = new Set();
    for (const item of text.split(',')) {
        const [range, step] = item.split('/');
        let [first, last] = range === '*' ? [0, 6] : range.split('-').map(weekday);
        if (last === undefined) last = first;
        if (last < first) last += 7;
        for (let day = first; day <= last; day += Number(step ?? 1)) days.add(day % 7);
    }
    return [...fields, [...days].sort().join(',')].join(' ');
}

// Rule 6: a day field that restricts nothing, but counts as restricted; then every day matches.
function starDays(expression) {
    const fields = fieldsOf(listWeekdays(expression));
    const [days, weekdays] = [fields.length - 3, fields.length - 1];
    const all = new Set();
    for (const item of fieldsOf(closeRanges(expression))[days].split(',')) {
        const [range, step] = item.split('/');
        const [first, last] = /^[*?]/.test(range) ? [1, 31] : range.split('-').map(Number);
        for (let day = first; day <= (last ?? first); day += Number(step ?? 1)) all.add(day);
    }
    const isStar = text => text === '*' || text === '?';
    if (isStar(fields[days]) || isStar(fields[weekdays])) return expression;
    if (all.size < 31 && fields[weekdays] !== '0,1,2,3,4,5,6') return expression;
    fields[days] = fields[weekdays] = '*';
    return fields.join(' ');
}

// Rule 5: a question mark is a star.
const unask = expression => expression.replaceAll('?', '*');

const REWRITES = [[5, unask], [3, closeRanges], [4, listWeekdays], [6, starDays]];

// forms returns the ways to write the expression, each with the rules that it took, the simplest first.
function forms(expression) {
    const found = [{ rules: [], expression }];
    for (const [rule, rewrite] of REWRITES)
        for (const form of [...found]) {
            const other = rewrite(form.expression);
            if (other !== form.expression && !found.some(one => one.expression === other))
                found.push({ rules: [...form.rules, rule], expression: other });
        }
    return found;
}

// --- the libraries --------------------------------------------------------------------------------------------------

const LIBRARIES = {
    'cron-parser': (expression, zone, after) => {
        const all = parser.parseExpression(expression, { currentDate: new Date(after * 1000), tz: zone });
        return Array.from({ length: OCCURRENCES }, () => all.next().getTime() / 1000);
    },
    croner: (expression, zone, after) => {
        const all = new Cron(expression, { timezone: zone });
        return all.nextRuns(OCCURRENCES, new Date(after * 1000)).map(date => date.getTime() / 1000);
    },
};

function ask(library, expression, zone, after) {
    try {
        return { times: LIBRARIES[library](expression, zone, after) };
    } catch (error) {
        return { error: error.message };
    }
}

const same = (a, b) => a.length === b.length && a.every((time, i) => time === b[i]);

// away leaves out what is within a day of a change of the clocks, and what lies behind the shorter of the two lists.
function away(times, end, near) {
    return times.filter(time => time < end && !near.some(change => Math.abs(change.at - time) < 1.2 * DAY));
}

// explain_clocks returns the rules of the changes that the lists differ around, or nothing.
function explainClocks(ours, theirs, one) {
    const end = Math.min(ours.at(-1), theirs.at(-1));
    const near = changes(one.zone).filter(change => change.at > one.after - 1.2 * DAY && change.at < end + 1.2 * DAY);
    if (near.length === 0 || !same(away(ours, end, near), away(theirs, end, near))) return null;
    const differing = [...ours, ...theirs].filter(time => !(ours.includes(time) && theirs.includes(time)) && time <= end);
    const rules = new Set(near.filter(change => differing.some(time => Math.abs(change.at - time) < 1.2 * DAY))
        .map(change => change.by > 0 ? 7 : 8));
    return rules.size > 0 ? [...rules].sort() : null;
}

// judgeOne returns the rules that explain the difference ([]: there is none), or null.
function judgeOne(library, one, answers) {
    const ours = answers[0];
    for (let i = 0; i < one.forms.length; i++) {
        const form = one.forms[i];
        if (i > 0 && JSON.stringify(answers[i]) !== JSON.stringify(ours) && !(ours.error && answers[i].error)) continue;
        const theirs = ask(library, form.expression, one.zone, one.after);
        if (ours.error && theirs.error) return form.rules;
        if (ours.error && /never has an occurrence/.test(ours.error) && theirs.times.length === 0) return form.rules;
        if (ours.error || theirs.error) {
            if (theirs.error && /loop limit/.test(theirs.error)) return ['gave up'];
            continue;
        }
        const length = Math.min(ours.times.length, theirs.times.length);
        if (theirs.times.length < ours.times.length && length === 0) return ['gave up'];
        const [a, b] = [ours.times.slice(0, length), theirs.times.slice(0, length)];
        if (same(a, b)) return form.rules;
        const clocks = explainClocks(a, b, one);
        if (clocks) return [...form.rules, ...clocks];
    }
    return /never has an occurrence/.test(ours.error) ? [9] : null;
}

// What is wrong with one library and right with the other is that library's own mistake, as long as it is rare.
const MISTAKES = 0.01;

function tell(library, one, ours) {
    console.log(`${library}: ${one.expression} in ${one.zone} after ${new Date(one.after * 1000).toISOString()}`);
    for (const [who, { times, error }] of [['ours', ours], ['theirs', ask(library, one.expression, one.zone, one.after)]])
        console.log(`  ${who}: ${error ?? times.map(time => new Date(time * 1000).toISOString().slice(0, 19)).join(' ')}`);
}

function judge(casesFile, answersFile) {
    const cases = JSON.parse(readFileSync(casesFile));
    const answers = JSON.parse(readFileSync(answersFile));
    const libraries = Object.keys(LIBRARIES);
    const tallies = Object.fromEntries(libraries.map(library => [library, {}]));
    let unexplained = 0;
    for (const one of cases) {
        const rules = libraries.map(library => judgeOne(library, one, answers[one.n]));
        libraries.forEach((library, i) => {
            const isOutvoted = rules[i] === null && rules.some(other => other?.length === 0);
            const label = isOutvoted ? 'its own mistake' : rules[i] === null ? 'unexplained' : rules[i].length === 0 ? 'same' :
                rules[i][0] === 'gave up' ? 'gave up' : rules[i].map(rule => `rule ${rule}`).join(' and ');
            tallies[library][label] = (tallies[library][label] ?? 0) + 1;
            if (rules[i] === null) tell(library, one, answers[one.n][0]);
            if (label === 'unexplained') unexplained++;
        });
    }
    for (const [library, tally] of Object.entries(tallies)) {
        const sorted = Object.entries(tally).sort((a, b) => b[1] - a[1]).map(([label, count]) => `${label} ${count}`);
        console.log(`${library}, ${cases.length} expressions: ${sorted.join(', ')}`);
        if ((tally['its own mistake'] ?? 0) > 1 + cases.length * MISTAKES) unexplained++;
    }
    process.exit(unexplained > 0 ? 1 : 0);
}

const [verb, ...args] = process.argv.slice(2);
if (verb === 'make') make(Number(args[0]), Number(args[1]), args[2]);
else judge(args[0], args[1]);
