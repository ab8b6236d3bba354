/** Faults at work. */
import { type Cable } from './cable.ts'
import { errnoOfFailure, type FaultPlan, isLinkFault, type LinkFault } from './fault-plan.ts'
import { type RequestView } from './request-view.ts'
import { type ServerState } from './state.ts'

/** A request, or a handshake, and what can become of it. */
export interface Errand {
  readonly request: RequestView
  readonly carryOut: () => void
  /** Answers an error instead. */
  readonly refuse: (err: number) => void
  /** It has never come in. */
  readonly lose: () => void
}

/** The moment in which something goes wrong with it. */
interface Scene extends Errand {
  readonly cable: Cable
  readonly state: ServerState
  /** Runs something so much later, unless the server goes away before. */
  readonly later: (ms: number, run: () => void) => void
}

/** Does to a request what is planned. What was answered before, leaves before. */
export function strike(fault: FaultPlan, scene: Scene): void {
  const { cable, carryOut } = scene
  cable.link.flush()
  if (isLinkFault(fault)) return strikeMidway(fault, scene)
  switch (fault.do) {
    case 'pass':
      return carryOut()
    case 'drop-request':
      return cable.reset()
    case 'drop-reply':
      cable.capture(carryOut)
      return cable.reset()
    case 'expire':
      return expire(scene)
    case 'fail':
      return scene.refuse(errnoOfFailure(fault.code)!)
    case 'delay-request':
      return delay(fault.ms, scene)
    case 'delay-reply':
      cable.toClient.hold(fault.ms)
      return carryOut()
    case 'duplicate-reply':
      return cable.sendTwice(cable.capture(carryOut))
    case 'reorder-reply':
      return cable.sendBelated(cable.capture(carryOut))
    case 'refuse':
      return cable.reset()
  }
}

/** Does to a connection that comes in what is planned. */
export function strikeLink(fault: FaultPlan, cable: Cable): void {
  if (isLinkFault(fault)) cable.apply(fault)
  else cable.reset()
}

function strikeMidway(fault: LinkFault, { cable, carryOut, lose }: Scene): void {
  cable.apply(fault)
  const isLost = fault.do === 'silence' && fault.direction !== 'to-client'
  if (isLost) lose()
  else carryOut()
}

/** A handshake is told; a request gets no answer. */
function expire({ state, request, carryOut }: Scene): void {
  state.expire(request.sessionId)
  if (request.operation === 'handshake') carryOut()
}

/** The server is busy: this request and those behind it wait. */
function delay(ms: number, { cable, carryOut, later }: Scene): void {
  const goOn = cable.stall()
  later(ms, () => goOn(carryOut))
}
