/** UserManagement as requests to a running server: its schema, and what answers it. Over a Unix socket (see AdminSocket). */
import { Duration, Effect, Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { Reason } from "../../common/log/Governing.ts"
import { UserName } from "../../common/name/UserName.ts"
import { Report } from "../reports/Report.ts"
import { Account } from "./Account.ts"
import { Code, InviteCode, NotDone, UserDetails, UserManagement } from "./UserManagement.ts"

const user = { user: UserName }
const account = { payload: user, success: Account, error: NotDone }

/** So many people may use one invite. */
export const maxUses = 1000

export class UserRequests extends RpcGroup.make(
  Rpc.make("Add", { payload: { ...user, isAdmin: Schema.Boolean }, success: Code, error: NotDone }),
  Rpc.make("List", {
    payload: { after: Schema.UndefinedOr(UserName) },
    success: Schema.Array(Account),
    error: NotDone
  }),
  Rpc.make("Show", { payload: user, success: UserDetails, error: NotDone }),
  Rpc.make("Disable", { ...account, payload: { ...user, reason: Schema.UndefinedOr(Reason) } }),
  Rpc.make("Enable", account),
  Rpc.make("Reset", { payload: user, success: Code, error: NotDone }),
  Rpc.make("Delete", account),
  Rpc.make("Free", account),
  Rpc.make("SetAdmin", { ...account, payload: { ...user, isAdmin: Schema.Boolean } }),
  Rpc.make("Reports", {
    payload: { before: Schema.UndefinedOr(Schema.Natural) },
    success: Schema.Array(Report),
    error: NotDone
  }),
  Rpc.make("HandleReport", { payload: { report: Schema.Natural }, error: NotDone }),
  Rpc.make("DeleteReport", { payload: { report: Schema.Natural }, error: NotDone }),
  Rpc.make("Invite", {
    payload: {
      uses: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: maxUses })),
      /** In milliseconds. */
      lasts: Schema.UndefinedOr(Schema.Natural)
    },
    success: InviteCode,
    error: NotDone
  }),
  Rpc.make("Lockdown", {
    payload: { isOn: Schema.UndefinedOr(Schema.Boolean) },
    success: Schema.Boolean,
    error: NotDone
  })
) {}

/** By a UserManagement, wherever it works. */
export const answers = UserRequests.toLayer(
  Effect.map(UserManagement, (users) =>
    UserRequests.of({
      Add: ({ isAdmin, user }) => users.add(user, isAdmin),
      List: ({ after }) => users.list(after),
      Show: ({ user }) => users.show(user),
      Disable: ({ reason, user }) => users.disable(user, reason),
      Enable: ({ user }) => users.enable(user),
      Reset: ({ user }) => users.reset(user),
      Delete: ({ user }) => users.delete(user),
      Free: ({ user }) => users.free(user),
      SetAdmin: ({ isAdmin, user }) => users.setAdmin(user, isAdmin),
      Reports: ({ before }) => users.reports(before),
      HandleReport: ({ report }) => users.handleReport(report),
      DeleteReport: ({ report }) => users.deleteReport(report),
      Invite: ({ lasts, uses }) => users.invite(uses, lasts === undefined ? undefined : Duration.millis(lasts)),
      Lockdown: ({ isOn }) => users.lockdown(isOn)
    })
  )
)
