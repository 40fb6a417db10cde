/** Types of all events for Python 3.7 and later: a module for each, and `parse_event`, which looks at `type`. */

import { once } from '@posthorn/json-schema'
import type { Artifacts, MakeArtifact } from '../../artifact.ts'
import type { Documentation } from '../../documentation.ts'
import { addresses } from '../addresses.ts'
import type { CodeMaker } from './code-maker.ts'
import { codeNames } from './code-names.ts'
import { commentText } from './code-schema.ts'
import type { DocsWarning } from './code-warning.ts'
import { type Generated, type GeneratedType, generate } from './generating.ts'
import { quicktypeSchema } from './go.ts'

const contentType = 'text/plain; charset=utf-8'

/** The generator gives every class methods of these names, and forgets that a member may have one. */
const methods = ['fromdict', 'todict']

function canName(member: string): boolean {
  return !methods.includes(member.replaceAll(/[^A-Za-z0-9]/g, '').toLowerCase())
}

export function pythonArtifacts(
  documentation: Documentation,
  maker: CodeMaker,
): { artifacts: Artifacts; warnings: () => Promise<readonly DocsWarning[]> } {
  const generated = once(() =>
    generate(documentation, maker, {
      artifact: addresses.python,
      pieceOf: (schema) => ({ language: 'python', name: 'Data', schema: quicktypeSchema(schema, canName) }),
      finished: (text) => (/^def data_from_dict\(/m.test(text) ? text.trim() : undefined),
    }),
  )
  const artifacts = new Map<string, MakeArtifact>([
    [addresses.pythonEvents, async () => ({ contentType, body: registry(documentation, await generated()) })],
  ])
  for (const [type, name] of codeNames(documentation)) {
    artifacts.set(addresses.pythonEvent(name.stem), async () => {
      const one = (await generated()).types.find((each) => each.type === type)
      return { contentType, body: one === undefined ? '' : eventFile(one) }
    })
  }
  return { artifacts, warnings: async () => (await generated()).warnings }
}

function eventFile({ type, eventType, code, reason }: GeneratedType): string {
  const { description, status } = eventType.event_type
  const about = [`The data of an event ${type}.`]
  if (description !== null) about.push('', ...commentText(description).split('\n'))
  if (status === 'archived') about.push('', 'It is not sent any more.')
  return `"""${about.join('\n')}

The schema is at ${addresses.schema(type, 'latest')}.
"""
${code ?? fallback(reason ?? '')}
`
}

function fallback(reason: string): string {
  return `from typing import Any

# Not described: ${commentText(reason).replaceAll('\n', ' ')}
Data = Any


def data_from_dict(s: Any) -> Any:
    return s


def data_to_dict(x: Any) -> Any:
    return x`
}

function registry({ branding }: Documentation, { types }: Generated): string {
  const modules = types.map(({ type, name }) => `    ${JSON.stringify(type)}: "${name.stem}_event",`)
  return `"""The events of ${commentText(branding.name).replaceAll('\n', ' ')}."""
import json
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Dict, Union


class UnexpectedData(ValueError):
    """The data of an event is not as its schema describes it."""


@dataclass
class Event:
    """What a verified body holds."""

    type: str
    timestamp: str
    data: Any
    """Data of the module that belongs to the type. If the type is not known, what json.loads made of it."""


MODULES: Dict[str, str] = {
${modules.join('\n')}
}
"""The module of each event type that is known."""


def parse_event(body: Union[bytes, str]) -> Event:
    """Reads a body whose signature was verified. Answer 2xx to a type that is not in MODULES, and do nothing else."""
    envelope = json.loads(body)
    event = Event(envelope["type"], envelope["timestamp"], envelope["data"])
    if event.type in MODULES:
        module = import_module("." + MODULES[event.type], __name__)
        try:
            event.data = module.data_from_dict(event.data)
        except (AssertionError, AttributeError, KeyError, TypeError, ValueError) as error:
            raise UnexpectedData(f"the data of {event.type} is not as described") from error
    return event
`
}
