import { Ajv } from 'ajv'
import { expect, test } from 'vitest'
import { once } from './once.ts'

test('what is made once is made when it is first asked for, such as a form that is compiled', () => {
  let compiled = 0
  const textForm = once(() => {
    compiled += 1
    return new Ajv().compile<string>({ type: 'string' })
  })
  expect(compiled).toBe(0)
  const isText = textForm()
  expect([isText('a'), isText(1), isText.errors?.length]).toEqual([true, false, 1])
  expect(textForm()).toBe(isText)
  expect(compiled).toBe(1)
})
